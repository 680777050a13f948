"""Words for what is private, as alternatives of a pattern: each is a trait only beside the reader ("you are", "your")."""

from __future__ import annotations

from typing import Final

#: What somebody is: behind "you are".
STATES: Final = (
    r"pregnant\b|expecting(?=\s*(?:[.!,?;]|$|a\s+(?:baby|child|boy|girl)|twins|your|again|soon|in\s+\w+))"
    r"|with\s+child\b|trying\s+for\s+a\s+baby\b|infertile\b|menopausal\b|breastfeeding\b|in\s+(?:the\s+)?menopause\b"
    r"|ill\b(?!-)|sick\b(?!\s+of)|diabetic\b|depressed\b|bipolar\b|autistic\b|disabled\b|deaf\b(?!\s+to)"
    r"|blind\b(?!\s+to)|epileptic\b|an?orexic\b|alcoholic\b|addicted\s+to\s+(?:drugs|alcohol|gambling)|in\s+(?:rehab"
    r"|therapy|recovery|chemo\w*|a\s+wheelchair)\b|hiv[\s-]positive\b|allergic\b|asthmatic\b|overweight\b|obese\b"
    r"|(?:too\s+)?fat\b|underweight\b|(?:gaining|losing|putting\s+on)\s+weight\b|losing\s+your\s+(?:hair|hearing|sight"
    r"|eyesight|memory)|balding\b|grieving\b|in\s+mourning\b"
    r"|gay\b|lesbian\b|bisexual\b|homosexual\b|transgender\b|trans\b|queer\b|non-?binary\b|straight\b(?=\s*(?:[.!,?;]"
    r"|$))"
    r"|(?:a\s+)?(?:muslim|christian|catholic|protestant|jewish|jew|hindu|buddhist|sikh|atheist|mormon|orthodox"
    r"|religious)\b|fasting\s+for\s+(?:ramadan|lent)"
    r"|(?:a\s+)?(?:black|african|asian|arab|latin[oa]|hispanic|indian|chinese|jewish|roma|turkish|polish|mexican"
    r"|immigrant|refugee|foreigner|person\s+of\s+colou?r)\b(?=\s*(?:[.!,?;]|$|and\b|woman|man|person|customer))"
    r"|(?:a\s+)?(?:republican|democrat|conservative|liberal|socialist|communist|left[\s-]wing|right[\s-]wing|tory"
    r"|labour\s+voter|trade\s+unionist|union\s+member)\b"
    r"|bankrupt\b|broke\b(?=\s*(?:[.!,?;]|$|this|right|at))|in\s+debt\b|unemployed\b|jobless\b|out\s+of\s+(?:work"
    r"|a\s+job)\b|between\s+jobs\b|laid\s+off\b|made\s+redundant\b|fired\b|short\s+of\s+(?:money|cash)\b"
    r"|low\s+on\s+(?:money|cash)\b|strapped\s+for\s+cash\b|poor\b(?=\s*(?:[.!,?;]|$))|wealthy\b|rich\b(?=\s*(?:[.!,?;]"
    r"|$))|struggling\s+(?:financially|with\s+(?:money|debt|bills|rent)|to\s+(?:pay|make\s+ends))"
    r"|behind\s+on\s+(?:your\s+)?(?:payments|rent|bills|mortgage)|on\s+(?:benefits|welfare|a\s+low\s+income"
    r"|a\s+tight\s+budget)\b"
    r"|divorced\b|divorcing\b|getting\s+(?:divorced|married|old|older)\b|separated\b|widowed\b"
    r"|engaged\b(?=\s*(?:[.!,?;]|$|to\s+be|now))|newly\s+(?:single|wed|married|divorced|engaged)\b|single\s+again\b"
    r"|retired\b|retiring\b|elderly\b|too\s+old\b|menstruating\b|on\s+your\s+period\b|a\s+(?:widow(?:er)?"
    r"|single\s+(?:mother|father|mum|mom|dad|parent)|new\s+(?:mother|father|mum|mom|dad|parent)|divorc[eé]e?|pensioner"
    r"|senior(?:\s+citizen)?|cancer\s+(?:patient|survivor)|newlywed)\b"
)
#: What somebody has: behind "you have", "you suffer from", "your".
CONDITIONS: Final = (
    r"diabetes\b|cancer\b|tumou?r\b|high\s+blood\s+pressure\b|hypertension\b|cholesterol\b|depression\b"
    r"|anxiety(?:\s+disorder)?\b|insomnia\b|adhd\b|dementia\b|alzheimer\w*|arthritis\b|asthma\b|eczema\b|psoriasis\b"
    r"|acne\b|migraines?\b|epilepsy\b|infertility\b|hiv\b|aids\b|eating\s+disorder|anorexia\b|bulimia\b|obesity\b"
    r"|addiction\b|alcoholism\b|drinking\s+problem|heart\s+(?:disease|condition|attack|problems?)"
    r"|(?:a\s+)?stroke\b(?=\s*[.,!?;]|\s+(?:last|in|has|is))|disabilit(?:y|ies)\b|bad\s+(?:back|knees?|hip)\b"
    r"|hearing\s+loss\b|hair\s+loss\b|incontinence\b|erectile\b|miscarriage\b|menopause\b|chronic\s+(?:pain|illness"
    r"|disease|fatigue)\b|mental\s+(?:health|illness)\b|panic\s+attacks?\b|ptsd\b|debts?\b(?!\s+of\s+gratitude)"
    r"|money\s+(?:problems|troubles|worries)|financial\s+(?:problems|troubles?|difficult\w+|worries)|weight\s+problem"
)
#: What somebody has that "your" alone makes private.
THINGS: Final = (
    r"pregnancy\b|baby\s+bump\b|bump(?=\s+(?:needs|deserves|grows|is|has)|\s*[.,!])"
    r"|due\s+date\b(?=[^.!?\n]{0,30}\bbaby|\s+is\s+(?:near|approach|coming|close))|unborn\b|menopause\b"
    r"|period\b(?=\s+(?:is|was|comes|cramps|pain|tracker))|fertility\b|diagnosis\b|illness\b|disease\b"
    r"|medical\s+(?:history|condition|records?)|health\s+(?:problems?|condition|issues?|records?|worries)|medication\b"
    r"|therapy\b|therapist\b|surgery\b|chemo\w*|wheelchair\b|body\s+weight\b|weight\b(?=\s+(?:gain|loss|is|problem)"
    r"|\s*[.,!?])|(?:extra|excess)\s+(?:weight|pounds|kilos)\b|(?:plus|large)[\s-]size\s+(?:body|figure)"
    r"|hot\s+flushes\b"
    r"|sexuality\b|sexual\s+(?:orientation|preferences?)|gender\s+identity\b|transition\b(?=\s*[.,!?])|coming[\s-]out\b"
    r"|religion\b|faith\b(?!\s+in)|religious\s+(?:beliefs?|views?|holidays?)|prayers?\b(?=\s*[.,!?])|ethnicity\b"
    r"|ethnic\s+(?:background|origin)|race\b(?=\s*[.,!?])|skin\s+colou?r\b|(?:immigration|residence)\s+status\b"
    r"|political\s+(?:views?|beliefs?|opinions?|party)|politics\b|vote\b(?=\s+(?:for|in\s+the|last))"
    r"|union\s+membership\b"
    r"|salary\b|income\b|pay\s?cheque\b|payday\b|loans?\b|mortgage\b|overdraft\b|credit\s+(?:score|rating|history"
    r"|card\s+(?:debt|bill|balance))|bank\s+(?:account|balance)|bankruptcy\b|unemployment\b|redundancy\b|lay-?off\b"
    r"|financial\s+(?:situation|position|circumstances|hardship|troubles?|health)|tight\s+(?:budget|finances)"
    r"|net\s+worth\b|wealth\b(?!\s+of)"
    r"|divorce\b|separation\b(?=\s*[.,!?])|break-?up\b|affair\b|ex[\s-](?:husband|wife|boyfriend|girlfriend|partner)\b"
    r"|widowhood\b|bereavement\b|grief\b|wedding\b(?=\s+(?:is|day\s+is|next|last|this)|\s*[.,!])"
    r"|engagement\b(?=\s*[.,!]|\s+last|\s+party)|newborn\b|retirement\b(?=\s*[.,!]|\s+(?:is|party|last))"
)
#: Who somebody is: behind "as a", before "like you".
PEOPLE: Final = (
    r"muslim|christian|catholic|protestant|jew|jewish\s+\w+|hindu|buddhist|sikh|atheist|mormon|believer"
    r"|gay(?:\s+\w+)?|lesbian|homosexual|bisexual|trans(?:gender)?\s+\w+|queer\s+\w+"
    r"|diabetic|cancer\s+(?:patient|survivor)|alcoholic|disabled\s+\w+|wheelchair\s+user"
    r"|person\s+with\s+(?:a\s+)?(?:disability|diabetes|depression)|overweight\s+\w+|pregnant\s+\w+|expectant\s+\w+"
    r"|black\s+(?:wom[ae]n|m[ae]n|person|people|customer)|african|asian(?:\s+(?:wom[ae]n|m[ae]n|person|american))?"
    r"|arab|latin[oa]|hispanic|immigrant|refugee|migrant|foreigner|person\s+of\s+colou?r"
    r"|republican|democrat|conservative|liberal|socialist|communist|trade\s+unionist|tory"
    r"|widow(?:er)?|divorc[eé]e?|single\s+(?:mother|father|mum|mom|dad|parent|woman|man)|new\s+(?:mother|father|mum"
    r"|mom|dad|parent)|pensioner|senior(?:\s+citizen)?|retiree|elderly\s+\w+|older\s+(?:woman|man|person|customer)"
    r"|middle-aged\s+\w+|newlywed|unemployed\s+\w+|low[\s-]income\s+\w+|high[\s-]earner|debtor"
)
CHINESE_STATES: Final = (
    "怀孕|怀上|怀了|有孕|备孕|待产|有喜|要当(?:妈|爸|爷|奶)|要做(?:妈|爸)|当(?:了)?(?:妈|爸)妈?了?|流产|不孕|更年期"
    "|进入更年期|来例假|生理期"
    "|生病|得了|得病|患有|患上|确诊|住院|手术后|失眠|抑郁|焦虑症|残疾|过敏体质|超重|肥胖|太胖|发胖|胖了|变胖|脱发"
    "|秃头|吃[^,。!?\n]{0,4}药|糖尿病|高血压"
    "|有[^,。!?\n]{0,3}(?:糖尿病|高血压|抑郁症|癌|病史|痔疮|脚气|痛风)"
    "|同性恋|双性恋|出柜|单身(?:已久|多年)|同志(?=[,。!?\n]|$)|过了退休|离了?婚|分手|失恋|丧偶|守寡|再婚|订婚|新婚"
    "|刚结婚|要结婚|二胎|生二胎|生完|退休"
    "|失业|被裁|裁员|下岗|负债|欠债|欠款|欠[^,。!?\n]{0,3}钱|还不起|破产|缺钱|没钱|手头(?:很|有点|比较|正|不"
    "|也)*(?:紧|宽裕)|经济(?:困难|拮据|紧张)|收入(?:不高|较低|下降|减少"
    "|低)|信用卡[^,。!?\n]{0,3}逾期|逾期|在还(?:房|车)?贷|买不起"
    "|信(?:佛|教|基督|伊斯兰|奉)|吃斋|做礼拜|入党|投票给|支持[^,。!?\n]{0,3}党|是?[^,。!?\n的]{1,4}族(?=[,。!?\n]|$)"
)
CHINESE_THINGS: Final = (
    "孕期|孕肚|预产期|孕吐|月经|例假|更年期|病情|病史|疾病|诊断|病|糖尿病|高血压|抑郁症?|焦虑症?|失眠|癌症|肿瘤|残疾"
    "|体重|肥胖|赘肉|脱发|药物"
    "|性取向|性别认同|宗教|信仰|民族|种族|肤色|籍贯|政治(?:立场|观点|倾向)|党派"
    "|债务|欠款|贷款|房贷|车贷|收入|工资|薪水|存款|财务状况|经济(?:状况|困难|压力)|信用(?:记录|评分|卡账单)|征信|失业"
    "|离婚|婚变|前(?:夫|妻|男友|女友|任)|婚姻(?:状况|危机|问题)|葬礼|年龄|年纪|岁数|行踪|住址"
)
CHINESE_PEOPLE: Final = (
    "佛教徒|基督徒|天主教徒|穆斯林|教徒|信徒|道教徒|同性恋者?|双性恋者?|孕妇|准妈妈|准爸爸|新手妈妈|新手爸爸"
    "|单亲(?:妈妈|爸爸|家庭)|糖尿病(?:人|患者)|[^,。!?\n]{0,4}患者|病人|残疾人"
    "|残障人士"
    "|少数民族|[维回藏蒙壮满苗彝朝]\\S{0,3}族|黑人|白人|外国人|移民|难民|党员|老年人|中老年人|离异(?:人士|女性|男性)?"
    "|寡妇|单身(?:人士|女性|男性|狗)|失业(?:者|人员)|低收入(?:者|人群"
    "|家庭)?|胖子|退休(?:人员|职工|老人)"
)
CHINESE_EVENTS: Final = (
    "怀孕|有喜|怀[上了]|要当|升级(?:当|做)|喜得|得子|得女|生[下了]|当(?:妈|爸)|做(?:妈|爸)|订婚|新婚|结婚|大婚|离婚"
    "|退休|升职|康复|出院|喜添"
)
CHINESE_KINSHIP: Final = (
    "父亲|母亲|爸爸?|妈妈?|丈夫|妻子|老公|老婆|爱人|伴侣|儿子|女儿|孩子|宝宝|爷爷|奶奶|外公|外婆|姥姥|姥爷|哥哥|姐姐"
    "|弟弟|妹妹|家人|亲人"
)
NATIONALITIES: Final = (
    r"afghan|albanian|algerian|american|argentin(?:e|ian)|australian|austrian|bangladeshi|belgian|brazilian|british"
    r"|bulgarian|canadian|chinese|colombian|croatian|cuban|czech|danish|dutch|egyptian|english|ethiopian|filipino"
    r"|finnish|french|german|ghanaian|greek|hungarian|indian|indonesian|iranian|iraqi|irish|israeli|italian|jamaican"
    r"|japanese|kenyan|korean|kurdish"
    r"|lebanese|malaysian|mexican|moroccan|nepalese|nigerian|norwegian|pakistani|palestinian|peruvian|polish"
    r"|portuguese|romanian|russian|saudi|scottish|serbian|somali|south\s+african|spanish|sudanese|swedish|swiss|syrian"
    r"|taiwanese|thai|tibetan|tunisian|turkish|ukrainian|vietnamese|welsh"
)
#: Words that are about somebody wherever they stand in a sentence with "you", unless a product is called so.
STRONG: Final = (
    r"pregnan\w+|wear\s+(?:a\s+)?(?:plus|larger?|extra-large)[\s-]sizes?|extra\s+(?:pounds|kilos|weight)|trimesters?|baby\s+bump|baby\s+(?:is\s+)?on\s+the\s+way|expecting\s+(?:a\s+)?(?:little\s+(?:one|1)"
    r"|baby|twins|child)|morning\s+sickness|eating\s+for\s+(?:two|2)|due\s+any\s+day|breastfe\w+|contracepti\w+"
    r"|miscarriage|infertil\w+|ivf|menopaus\w+|postpartum|stillbirth|abortion"
    r"|diabet\w+|hiv|cancer|chemotherapy|depress(?:ed|ion)|bipolar|autis\w+|adhd|dementia|alzheimer\w*|epilep\w+"
    r"|arthritis|asthma\w*|insomnia|anxiety|panic\s+attacks?|migraines?|eczema|psoriasis|menstrua\w+|erectile"
    r"|prosthe\w+|dialysis|hearing\s+(?:aid|loss|isn't)|blood\s+(?:sugar|pressure)|cholesterol|medication|prescription"
    r"|therapist|counsell?or|sober|sobriety|hair\s+loss|balding|anorexi\w+|bulimi\w+|obes\w+|overweight|alcoholi\w+"
    r"|rehab|antidepressants?|surgery|diagnos(?:is|ed)|illness|psychiatr\w+|wheelchair|incontinence"
    r"|lesbian|gay(?!\s+colou?rs)|bisexual|being\s+(?:trans|queer|non-binary)|homosexual|transgender|came\s+out\s+as"
    r"|coming\s+out\s+as|sexual\s+orientation"
    r"|muslim|christians?(?!\s+\w*mas)|catholic|jewish|hindu|buddhist|mosque|synagogue|(?:went|go|going"
    r"|been)\s+to\s+(?:mass|church|temple|confession)|observe\s+(?:yom\s+kippur|ramadan|lent|shabbat|sabbath|eid)"
    r"|(?:fast|fasting)\s+(?:for|during)\s+(?:ramadan|lent)|baptis\w+|bar\s+mitzvah"
    r"|immigrants?|refugees?|asylum|ethnicity|skin\s+colou?r|(?:labour|tory|green|democrat\w*|republican|conservative"
    r"|liberal|left-wing|right-wing|ukip|afd)\s+(?:voter|supporter|party\s+member)s?|member\s+of\s+(?:the"
    r"|a)\s+(?:\w+\s+)?(?:party|trade\s+union)|(?:conservative|labour|republican|democratic|green|communist)\s+party"
    r"|trade\s+union\s+member"
    r"|bankrupt\w*|unemploy\w+|redundan(?:t|cy)|laid\s+off|mortgage|overdraft|payday|(?:can't|cannot"
    r"|couldn't)\s+afford|overdue\s+(?:rent|bills?|payments?|loans?)|rent\s+is\s+(?:due|overdue|late)|student\s+loans?"
    r"|foreclos\w+|bailiffs?|low[\s-]income|salary|in\s+debt|debts|credit\s+card\s+(?:is\s+)?(?:maxed|debt|bill)"
    r"|maxed\s+out|food\s+stamps|tight\s+budget|make\s+ends\s+meet"
    r"|divorc\w+|(?:you\s+and\s+your\s+(?:husband|wife|partner|spouse)\s+(?:have\s+)?(?:separated|split|broken\s+up))"
    r"|single\s+(?:for\s+(?:a\s+while|years|months|so\s+long)|again)|lost\s+your\s+(?:husband|wife|partner|mother"
    r"|father|mum|mom|dad|son|daughter|job|baby)|your\s+ex|passed\s+away|empty\s+nest|widow(?!'s)\w*|bereave\w*"
    r"|funeral|breakup|custody|(?:put\s+on|gained|gaining|lost|losing)\s+(?:a\s+few\s+|some\s+|so\s+much\s+"
    r"|a\s+lot\s+of\s+|\d+\s+)?(?:extra\s+)?(?:pounds|kilos|kg|stone|weight)"
)
CHINESE_STRONG: Final = (
    "怀孕|孕肚|备孕|快(?:出生|生)了|临盆|预产期|哺乳期|避孕|孕[早中晚]期|孕期|孕吐|待产|产后|坐月子|要孩子|二胎|二宝"
    "|三胎|流产|不孕|试管婴儿|更年期|生理期|月经"
    "|手术|住院|出院|血糖|血压|血脂|妇科|前列腺|痔疮|阳痿|早泄|乳腺|过敏史|去了医院|在医院|看病|确诊|化疗|癌|肿瘤"
    "|糖尿病|高血压|高血脂|抑郁|焦虑|失眠|自闭|残疾|艾滋|痛风|脱发|肥胖|超重|胖了|发胖"
    "|长胖|吃药|病情"
    "|同性(?!质|能)|同志伴侣|出柜|性取向|基督徒|天主教徒|佛教徒|穆斯林|教徒|礼拜(?![一二三四五六日天])|清真寺|去教堂"
    "|拜佛|斋月|信佛|信教|[维回藏蒙壮苗彝傣]\\S{0,2}族|移民身份|政治立场|党员"
    "|失业|离职|辞职|待业|月薪|工资|年薪|花呗|借呗|征信|买不起|丢了工作|没了工作|被裁|裁员|下岗|破产|负债|欠债|欠款"
    "|房贷|车贷|还贷|逾期|手头紧|工资(?:还没|没发|低|不高)|低保|离婚|离异|丧偶|守寡"
    "|前夫|前妻|失恋|去世|过世|病逝|(?:老人|父亲|母亲|爸爸|妈妈|亲人|家人)(?:刚|才)?走了?|添了[^,。]{0,3}(?:宝|丁)|喜得"
)
