"""Documents and answers of invented countries, written as a stranger would write them."""

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<ReadmissionRequest version="2.1">
  <Meta><SentAt>2026-05-04T10:20:00Z</SentAt><From>XA-MOI</From><To>BA-MS</To></Meta>
  <FileNo>MOI/READ/2026/123</FileNo><LegalBasis>ba-xa</LegalBasis><RequestDate>04/05/2026</RequestDate>
  <RequestingOffice><OfficeName>Ministry of the Interior</OfficeName><Email>desk@moi.xa.example</Email></RequestingOffice>
  <Subject>
    <FirstName>John</FirstName><Surname>Specimen</Surname><Gender>M</Gender><DOB>23/07/1990</DOB>
    <PlaceOfBirth>Sarajevo</PlaceOfBirth><Citizenship>BIH</Citizenship><Shoesize>43</Shoesize>
  </Subject>
  <TravelDocs>
    <TravelDoc type="P"><No>A0000001</No><ValidUntil>31/01/2028</ValidUntil><IssuingCountry>BIH</IssuingCountry></TravelDoc>
    <TravelDoc type="ID"><No>B0000002</No><ValidUntil>31/01/2029</ValidUntil><IssuingCountry>BIH</IssuingCountry></TravelDoc>
  </TravelDocs>
  <Kids><Kid><FirstName>Ann</FirstName><Surname>Specimen</Surname><DOB>01/01/2020</DOB></Kid></Kids>
  <Notes>Urgent case.</Notes>
</ReadmissionRequest>
"""
JSON = """{"typeMessage": "DEMANDE_READMISSION", "numeroDossier": "DG-2026-77", "dateDemande": "04.05.2026",
 "personne": {"nom": "Specimen", "prenom": "Jeanne", "sexe": "F", "dateNaissance": "23.07.1990",
   "nationalite": "BA", "situationFamiliale": "mariée", "couleurYeux": "bleu"},
 "passeport": {"numero": "X000123", "dateExpiration": "31.01.2028", "paysEmission": "BA"},
 "enfants": [{"nom": "Specimen", "prenom": "Luc", "dateNaissance": "01.01.2020", "sexe": "M"}],
 "transfert": {"date": "20.06.2026"}, "remarques": "Néant", "couleurPreferee": "vert"}
""".encode()
CSV = b"""Ref No;Family Name;Given Name;Sex;Birth Date;Nationality;Passport No;Passport Expiry;Remarks;Fingerprint Ref
C-1;Specimen;Ana;F;31/12/1990;ALB;P0000001;30/06/2030;none;FP1
C-2;Muster;Jon;M;02/03/1985;ALB;P0000002;30/06/2031;;FP2
"""
ANSWERS = """\
state = "XA"
name = "Xanadu"
own_name = "Xanadu"
languages = ["en"]
working_language = "en"
zone = "Europe/Sarajevo"
calendar = "ba"
no_agreement = "negotiations have not begun"
[[authorities]]
code = "XA-MOI"
name = "Ministry of the Interior"
own_name = "Ministry of the Interior"
edge = "pull"
"""
