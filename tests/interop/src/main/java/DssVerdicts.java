// Asks the EU's validator (DSS) for its verdict on signed envelopes and case files. Shares no line with the gateway.
//
// Usage: DssVerdicts ANCHORS CRLS FILE...
//   ANCHORS  folder of trusted root certificates (PEM or DER), CRLS  folder of revocation lists (DER)
// Prints one line a file: name, indication, sub-indication or "-", format or "-", first error or "-", separated by tabs.
// No network: revocation lists are read from the folder, nothing is fetched. A file DSS cannot read at all: UNREADABLE.

import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

public class DssVerdicts {
    private static File[] sorted(String folder) {
        File[] files = new File(folder).listFiles(File::isFile);
        if (files == null) {
            throw new IllegalArgumentException("no folder " + folder);
        }
        Arrays.sort(files);
        return files;
    }

    private static String word(Object value) {
        return value == null ? "-" : value.toString().replaceAll("\\s+", " ");
    }

    private static String verdict(File file, CommonTrustedCertificateSource anchors, ExternalResourcesCRLSource lists) {
        try {
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
            CommonCertificateVerifier verifier = new CommonCertificateVerifier();
            verifier.setTrustedCertSources(anchors);
            verifier.setCrlSource(lists);
            verifier.setOcspSource(null);
            verifier.setAIASource(null);
            validator.setCertificateVerifier(verifier);
            Reports reports = validator.validateDocument();
            SimpleReport report = reports.getSimpleReport();
            List<String> signatures = report.getSignatureIdList();
            if (signatures.size() != 1) {
                return signatures.size() + "_SIGNATURES\t-\t-\t-";
            }
            String id = signatures.get(0);
            String errors = report.getAdESValidationErrors(id).stream().map(each -> each.getValue()).collect(Collectors.joining("; "));
            return String.join("\t", word(report.getIndication(id)), word(report.getSubIndication(id)),
                word(report.getSignatureFormat(id)), errors.isEmpty() ? "-" : word(errors));
        } catch (Exception | StackOverflowError error) {
            return "UNREADABLE\t-\t-\t" + word(error.getClass().getSimpleName() + ": " + error.getMessage());
        }
    }

    public static void main(String[] arguments) throws Exception {
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        for (File file : sorted(arguments[0])) {
            anchors.addCertificate(DSSUtils.loadCertificate(file));
        }
        File[] files = sorted(arguments[1]);
        InputStream[] streams = new InputStream[files.length];
        for (int i = 0; i < files.length; i++) {
            streams[i] = new FileInputStream(files[i]);
        }
        ExternalResourcesCRLSource lists = new ExternalResourcesCRLSource(streams);
        for (String name : Arrays.asList(arguments).subList(2, arguments.length)) {
            File file = new File(name);
            System.out.println(file.getName() + "\t" + verdict(file, anchors, lists));
        }
    }
}
