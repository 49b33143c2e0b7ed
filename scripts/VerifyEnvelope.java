// Verifies signed envelopes with the JDK's own XML signature library: software that shares no line with ours.
// Usage: java VerifyEnvelope.java FILE...   prints "FILE valid" or "FILE invalid: why"; exit 1 if one is invalid.

import java.io.ByteArrayInputStream;
import java.io.File;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

public class VerifyEnvelope {
    private static final String DS = "http://www.w3.org/2000/09/xmldsig#";
    private static final String XADES = "http://uri.etsi.org/01903/v1.3.2#";

    private static String verify(File file) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        Document document = factory.newDocumentBuilder().parse(file);
        NodeList signatures = document.getElementsByTagNameNS(DS, "Signature");
        if (signatures.getLength() != 1) {
            return signatures.getLength() + " signatures";
        }
        String encoded = document.getElementsByTagNameNS(DS, "X509Certificate").item(0).getTextContent();
        X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(Base64.getMimeDecoder().decode(encoded)));
        DOMValidateContext context =
            new DOMValidateContext(KeySelector.singletonKeySelector(certificate.getPublicKey()), signatures.item(0));
        context.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.TRUE);
        NodeList properties = document.getElementsByTagNameNS(XADES, "SignedProperties");
        for (int i = 0; i < properties.getLength(); i++) {
            context.setIdAttributeNS((Element) properties.item(i), null, "Id");
        }
        XMLSignature signature = XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(context);
        if (properties.getLength() != 1 || signature.getSignedInfo().getReferences().size() != 2) {
            return "not two references";
        }
        return signature.validate(context) ? null : "the signature does not verify";
    }

    public static void main(String[] files) throws Exception {
        boolean good = true;
        for (String name : files) {
            String why;
            try {
                why = verify(new File(name));
            } catch (Exception error) {
                why = error.toString();
            }
            System.out.println(name + (why == null ? " valid" : " invalid: " + why));
            good &= why == null;
        }
        System.exit(good ? 0 : 1);
    }
}
