// A receiver for Java 17 and later: PORT=3000 POSTERN_SECRET=whsec_… java Receiver.java
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    static final byte[] KEY = Base64.getDecoder().decode(System.getenv("POSTERN_SECRET").replaceFirst("^whsec_", ""));

    static boolean isGenuine(Headers headers, byte[] body) throws Exception {
        String id = headers.getFirst("webhook-id");
        String sentAt = headers.getFirst("webhook-timestamp");
        String signatures = headers.getFirst("webhook-signature");
        if (id == null || sentAt == null || signatures == null || !sentAt.matches("[0-9]{1,12}")) return false;
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(sentAt)) > 300) return false;
        var signed = new ByteArrayOutputStream();
        signed.write((id + "." + sentAt + ".").getBytes("UTF-8"));
        signed.write(body);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
        byte[] expected = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(signed.toByteArray()))).getBytes();
        // While a secret is replaced there are several signatures: one that fits is enough.
        for (String part : signatures.split(" ")) {
            if (MessageDigest.isEqual(part.getBytes("UTF-8"), expected)) return true;
        }
        return false;
    }

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "3000"));
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/", exchange -> {
            // Verify the bytes as they came, before anything parses them.
            byte[] body = exchange.getRequestBody().readAllBytes();
            int status = 401;
            try {
                if (isGenuine(exchange.getRequestHeaders(), body)) status = 204;
            } catch (Exception failure) {
                status = 500;
            }
            // The same webhook-id again is the same delivery: remember it and skip the second one.
            System.out.println(exchange.getRequestHeaders().getFirst("webhook-id") + " " + status);
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }
}
