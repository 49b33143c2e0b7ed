"""Names that are written in many ways, in the Arabic script and in Latin, and the small words between names.

Each line is one name. It says that the spellings may be of one person, never that they are: a human decides.
"""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES = """
    محمد MUHAMMAD MOHAMMAD MOHAMMED MOHAMED MUHAMMED MUHAMED MOHAMAD MUHAMAD MEHMED MEHMET MUHAMET MAMADOU MUHAMMET MEMMED
    احمد AHMAD AHMED AHMET EHMED AKHMAD AKHMED
    محمود MAHMUD MAHMOUD MAHMOOD MEHMOOD MAHMUT
    علي ALI ALY ELI
    حسن HASAN HASSAN HESEN
    حسين HUSAIN HUSSAIN HUSSEIN HUSEIN HOSSEIN HUSEYIN HUSSIEN HUSEJIN HOUCINE HOCINE
    عمر OMAR UMAR OMER UMER
    عثمان UTHMAN OTHMAN OSMAN USMAN OTMAN
    ابراهيم IBRAHIM EBRAHIM IBRAHEEM BRAHIM
    اسماعيل ISMAIL ISMAEEL ESMAIL ISMAEL SMAIL
    يوسف YUSUF YOUSUF YOUSEF YOUSSEF YUSIF YOUSAF JUSUF JUSUP
    يعقوب YAQUB YAQOOB YACOUB YAKUP JAKUP
    موسى MUSA MOUSA MOOSA MOUSSA
    عيسى ISA EISA ISSA AISSA
    داود DAWUD DAWOOD DAOUD DAVUD DAVUT DAUD
    سليمان SULAIMAN SULEIMAN SULEMAN SULEYMAN SOLEIMAN SLIMANE SULEJMAN
    هارون HARUN HAROON HAROUN
    يحيى YAHYA YAHIA JAHJA
    زكريا ZAKARIYA ZAKARIA ZEKERIYA ZAKARIYYA
    مصطفى MUSTAFA MOSTAFA MOUSTAFA MOUSTAPHA MUSTAPHA
    رحمان RAHMAN REHMAN RAHMANE
    رشيد RASHID RASHEED RACHID RESID
    رضا RIDA REZA RAZA RIZA
    سعيد SAID SAEED SAEID SAYEED
    سيد SAYYID SYED SAYED SAYYED SEYED SEYYED SAID
    شاه SHAH CHAH
    خان KHAN XAN
    غلام GHULAM GHOLAM GULAM
    عبد ABD ABED
    عبدالله ABDULLAH ABDALLAH ABDOLLAH ABDULLA ABDELLAH ABDULAH
    عبدالرحمن ABDURRAHMAN ABDULRAHMAN ABDELRAHMAN ABDERRAHMANE ABDURAHMAN ABDULREHMAN
    عبدالكريم ABDULKARIM ABDELKARIM ABDELKRIM ABDULKERIM
    حبيب HABIB HABEEB
    كريم KARIM KAREEM KERIM
    جمال JAMAL JAMAAL CEMAL DZEMAL DJAMEL GAMAL XHEMAL
    خالد KHALID KHALED HALID
    طارق TARIQ TAREQ TARIK TAREK
    قاسم QASIM QASEM KASIM KASSEM GHASEM
    ناصر NASIR NASSER NASER NACER
    منصور MANSUR MANSOUR MANSOOR
    نور NUR NOOR NOUR
    اقبال IQBAL EQBAL IKBAL
    فاطمه FATIMA FATIMAH FATEMEH FATMA FATEMA FATIME
    عايشه AISHA AYESHA AICHA AYSE AISE AISHE
    خديجه KHADIJA KHADIJAH HATIJA HATICE KHADIDJA
    مريم MARYAM MARIAM MERYEM MERJEM
    زينب ZAINAB ZAYNAB ZEINAB ZEYNEP ZINEB ZEJNEBA
    امينه AMINA AMINAH EMINA EMINE
    سلمى SALMA SELMA
"""


def _by_spelling() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _NAMES.strip().splitlines():
        arabic, *latin = line.split()
        for spelling in (arabic, *latin):
            found[spelling] = tuple(dict.fromkeys((*found.get(spelling, ()), *latin)))
    return MappingProxyType(found)


SPELLINGS = _by_spelling()  # a spelling, Latin or Arabic -> the Latin ones that go with it, the commonest first

ARTICLES = frozenset({"AL", "EL", "UL", "UR", "AR", "AS", "ASH", "AN", "AD", "AT", "AZ"})
BETWEEN = frozenset({"BIN", "BEN", "IBN", "BINT", "BINTE", "OULD", "OULED", "SO", "DO", "WO", "VON", "VAN", "DER", "DE", "LA"})
PATRONYMICS = (
    "OVICH",
    "EVICH",
    "OVYCH",
    "EVYCH",
    "OVNA",
    "EVNA",
    "IVNA",
    "YIVNA",
    "ICHNA",
    "OGLU",
    "OGLY",
    "QIZI",
    "KIZI",
    "KYZY",
)
