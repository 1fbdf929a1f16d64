// The WebSocket client of java.net.http: java WebSocketClient.java URL TEXT...
// Sends each text (in two fragments where it is long), a ping and some octets; each must come back.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

public class WebSocketClient {
    static final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();

    static class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();
        private int octets;

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                told.add("text " + text);
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
            octets += part.remaining();
            if (last) {
                told.add("binary " + octets);
                octets = 0;
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onPong(WebSocket socket, ByteBuffer payload) {
            told.add("pong " + payload.remaining());
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            told.add("close " + code);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            told.add("error " + error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        WebSocket socket = HttpClient.newHttpClient().newWebSocketBuilder().subprotocols("chat.example")
            .buildAsync(URI.create(arguments[0]), new Listener()).get(60, TimeUnit.SECONDS);
        for (int at = 1; at < arguments.length; at++) {
            String text = arguments[at];
            if (text.length() > 100) {
                await(socket.sendText(text.substring(0, 50), false));
                await(socket.sendText(text.substring(50), true));
            } else {
                await(socket.sendText(text, true));
            }
            expect("text " + text);
        }
        await(socket.sendPing(ByteBuffer.wrap(new byte[] {1, 2, 3})));
        expect("pong 3");
        await(socket.sendBinary(ByteBuffer.wrap(new byte[70_000]), true));
        expect("binary 70000");
        await(socket.sendClose(WebSocket.NORMAL_CLOSURE, "done"));
        expect("close 1000");
        System.exit(0);
    }

    static void await(CompletableFuture<WebSocket> sent) throws Exception {
        sent.get(60, TimeUnit.SECONDS);
    }

    static void expect(String wanted) throws InterruptedException {
        String seen = told.poll(60, TimeUnit.SECONDS);
        if (!wanted.equals(seen)) {
            System.err.println("wanted " + wanted + ", seen " + seen);
            System.exit(1);
        }
    }
}
