"""The REST API over campaigns and their texts."""
