package caracal.peers;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** Reads Debezium envelopes token by token, without a tree, and no further than it needs to. */
public final class PaymentReader {
  private static final long MAX_AHEAD_MICROS = 300_000_000;

  private final JsonFactory factory =
      JsonFactory.builder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

  private boolean hasRow;
  private long commitMicros;

  /** False = not a payment that the rules judge. */
  public boolean read(byte[] value, Payment payment) throws IOException {
    if (value == null) {
      return false;
    }
    hasRow = false;
    payment.operation = 0;
    try (JsonParser parser = factory.createParser(value)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        readEnvelope(parser, payment);
      }
    }
    if (!hasRow) {
      return false;
    }
    if (payment.timeMicros == 0 || payment.timeMicros > commitMicros + MAX_AHEAD_MICROS) {
      payment.timeMicros = commitMicros;
    }
    return payment.operation == 'c' || payment.operation == 'r' || payment.operation == 'u';
  }

  private void readEnvelope(JsonParser parser, Payment payment) throws IOException {
    for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
      JsonToken token = parser.nextToken();
      switch (name) {
        case "after":
          if (token == JsonToken.START_OBJECT) {
            readRow(parser, payment);
          }
          break;
        case "source":
          readSource(parser);
          break;
        case "op":
          payment.operation = parser.getTextCharacters()[parser.getTextOffset()];
          return; // the times behind it are those of the connector
        default:
          parser.skipChildren();
      }
    }
  }

  private void readRow(JsonParser parser, Payment payment) throws IOException {
    for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
      JsonToken token = parser.nextToken();
      switch (name) {
        case "id":
          payment.id = parser.getLongValue();
          break;
        case "user_id":
          payment.account = parser.getLongValue();
          break;
        case "amount":
          payment.cents =
              cents(parser.getTextCharacters(), parser.getTextOffset(), parser.getTextLength());
          break;
        case "created_at":
          payment.timeMicros = token == JsonToken.VALUE_NULL ? 0 : parser.getLongValue();
          break;
        default:
          parser.skipChildren();
      }
    }
    hasRow = true;
  }

  private void readSource(JsonParser parser) throws IOException {
    for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
      parser.nextToken();
      if (name.equals("ts_ms")) {
        commitMicros = parser.getLongValue() * 1000;
      } else {
        parser.skipChildren();
      }
    }
  }

  /** The cents of a NUMERIC(10,2) in text, such as "-12.50". */
  private static long cents(char[] text, int start, int length) throws IOException {
    if (length < 4 || text[start + length - 3] != '.') {
      throw new IOException("not an amount with two decimals: " + new String(text, start, length));
    }
    boolean negative = text[start] == '-';
    long cents = 0;
    for (int i = negative ? start + 1 : start; i < start + length; ++i) {
      if (text[i] != '.') {
        cents = cents * 10 + (text[i] - '0');
      }
    }
    return negative ? -cents : cents;
  }
}
