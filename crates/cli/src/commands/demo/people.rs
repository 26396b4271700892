//! Who lives in the made-up community: names of several scripts.

use fastrand::Rng;
use guildhall_adapter::domain::{
    ExternalId, LanguageTag, NewExternal, NewUser, Nickname, PersonName, Provider, Username,
    Violation,
};

/// A language with given names, family names, and syllables for usernames.
struct Tongue {
    language: &'static str,
    given: &'static [&'static str],
    family: &'static [&'static str],
}

const TONGUES: &[Tongue] = &[
    Tongue {
        language: "en",
        given: &["Olivia", "Liam", "Amelia", "Noah", "Grace", "Oscar", "Ruby", "Theo"],
        family: &["Smith", "O’Connor", "Baker", "Nguyen", "MacLeod", "Hughes", "Okafor", "Reid"],
    },
    Tongue {
        language: "es",
        given: &["Lucía", "Martín", "Sofía", "Mateo", "Íñigo", "Valentina", "Begoña", "Álvaro"],
        family: &["García", "Muñoz", "Ibáñez", "Peña", "Castaño", "Quiñones", "López", "Núñez"],
    },
    Tongue {
        language: "ru",
        given: &["Алина", "Дмитрий", "Наталья", "Сергей", "Юлия", "Фёдор", "Ольга", "Игорь"],
        family: &[
            "Иваненко",
            "Соколов",
            "Щербак",
            "Ковалёв",
            "Жданова",
            "Орлов",
            "Белых",
            "Юрченко",
        ],
    },
    Tongue {
        language: "ar",
        given: &["ليلى", "عمر", "فاطمة", "يوسف", "نور", "خالد", "مريم", "طارق"],
        family: &["الهاشمي", "منصور", "الخطيب", "حداد", "النجار", "سليمان", "العلي", "شاهين"],
    },
    Tongue {
        language: "hi",
        given: &["आरव", "दीया", "रोहन", "अनन्या", "काव्या", "विवान", "मीरा", "अर्जुन"],
        family: &["शर्मा", "वर्मा", "पटेल", "गुप्ता", "नायर", "जोशी", "रेड्डी", "सिंह"],
    },
    Tongue {
        language: "zh",
        given: &["伟", "芳", "秀英", "强", "子涵", "浩然", "欣怡", "宇轩"],
        family: &["王", "李", "张", "刘", "陈", "欧阳", "黄", "赵"],
    },
    Tongue {
        language: "ja",
        given: &["さくら", "陽翔", "葵", "蓮", "結衣", "樹", "美咲", "悠真"],
        family: &["佐藤", "鈴木", "高橋", "田中", "渡辺", "伊藤", "山本", "中村"],
    },
    Tongue {
        language: "ko",
        given: &["서연", "민준", "지우", "도윤", "하은", "예준", "수아", "시우"],
        family: &["김", "이", "박", "최", "정", "강", "조", "윤"],
    },
    Tongue {
        language: "el",
        given: &["Ελένη", "Γιώργος", "Μαρία", "Νίκος", "Δήμητρα", "Κώστας", "Άννα", "Πέτρος"],
        family: &[
            "Παπαδόπουλος",
            "Νικολάου",
            "Ιωάννου",
            "Δημητρίου",
            "Αθανασίου",
            "Βλάχος",
            "Ζάχος",
            "Μακρή",
        ],
    },
    Tongue {
        language: "he",
        given: &["נועה", "דוד", "תמר", "יואב", "מאיה", "איתי", "שירה", "עומר"],
        family: &["כהן", "לוי", "מזרחי", "פרץ", "ביטון", "אברהם", "פרידמן", "דהן"],
    },
    Tongue {
        language: "tr",
        given: &["Zeynep", "Çağlar", "Elif", "Ömer", "Şule", "İsmail", "Gül", "Yiğit"],
        family: &["Yılmaz", "Öztürk", "Şahin", "Çelik", "Aydın", "Güneş", "Doğan", "Kılıç"],
    },
    Tongue {
        language: "pl",
        given: &[
            "Zofia",
            "Łukasz",
            "Małgorzata",
            "Wojciech",
            "Agnieszka",
            "Paweł",
            "Żaneta",
            "Michał",
        ],
        family: &["Wójcik", "Kowalska", "Dąbrowski", "Łączny", "Zając", "Król", "Wrona", "Gołąb"],
    },
];

const HANDLES: &[&str] = &[
    "quiet", "amber", "lucky", "north", "pixel", "river", "solar", "witty", "mango", "comet",
    "otter", "raven", "tulip", "cedar", "gamma", "polar",
];
const CREATURES: &[&str] = &[
    "fox", "heron", "lynx", "newt", "orca", "panda", "crow", "moth", "yak", "ibis", "wolf", "bee",
    "hare", "seal", "swan", "toad",
];

/// Telegram numbers begin here; none of them is anybody's.
const TELEGRAM_FIRST: u64 = 900_000_000_000;

/// The member of this number: the same for the same generator.
pub(crate) fn person(rng: &mut Rng, number: u32) -> Result<NewUser, Violation> {
    let tongue = &TONGUES[rng.usize(..TONGUES.len())];
    let pick = |rng: &mut Rng, names: &[&'static str]| names[rng.usize(..names.len())];
    let (given, family) = (pick(rng, tongue.given), pick(rng, tongue.family));
    let handle = format!("{}_{}{number}", pick(rng, HANDLES), pick(rng, CREATURES));
    let mut externals = vec![NewExternal::telegram(TELEGRAM_FIRST + u64::from(number))];
    if rng.u8(..5) == 0 {
        let id = ExternalId::parse(&format!("demo-{number}"))?;
        externals.push(NewExternal::new(Provider::Discord, id).nickname(Nickname::parse(&handle)?));
    }
    Ok(NewUser {
        // Some never choose one.
        username: if rng.u8(..10) == 0 { None } else { Some(Username::parse(&handle)?) },
        first_name: Some(PersonName::parse(given)?),
        last_name: Some(PersonName::parse(family)?),
        language: Some(LanguageTag::parse(tongue.language)?),
        externals,
        ..NewUser::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_up_the_same_valid_people() {
        let make = || {
            let mut rng = Rng::with_seed(42);
            (0..2_000).map(|number| person(&mut rng, number).unwrap()).collect::<Vec<_>>()
        };
        let (once, again) = (make(), make());
        assert_eq!(once, again);
        once.iter().for_each(|person| person.check().unwrap());
        let names: std::collections::BTreeSet<_> =
            once.iter().filter_map(|person| person.username.clone()).collect();
        assert_eq!(names.len(), once.iter().filter(|person| person.username.is_some()).count());
    }
}
