package caracal.peers;

import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Writes alerts as JSON. */
public final class Alerts {
  private Alerts() {}

  /** Hands the alerts of what Account.judge has returned to the sink. */
  public static void write(int judged, Payment payment, String topic, Consumer<byte[]> sink) {
    if (judged <= 0) {
      return;
    }
    if ((judged & Account.ABOVE_PROFILE) != 0) {
      sink.accept(
          text("reference-profile", 100, "{\"rule\":\"above-profile\",\"score\":100}", payment,
              topic));
    }
    if ((judged & Account.BURST_AND_BIG) != 0) {
      sink.accept(
          text("reference-score", 90,
              "{\"rule\":\"velocity\",\"score\":40},{\"rule\":\"amount\",\"score\":50}", payment,
              topic));
    }
  }

  private static byte[] text(
      String ruleset, int score, String reasons, Payment payment, String topic) {
    long cents = Math.abs(payment.cents);
    StringBuilder out = new StringBuilder(320);
    out.append("{\"ruleset\":\"").append(ruleset).append("\",\"score\":").append(score);
    out.append(",\"account\":\"").append(payment.account);
    out.append("\",\"transaction_id\":\"").append(payment.id).append("\",\"amount\":\"");
    out.append(payment.cents < 0 ? "-" : "").append(cents / 100).append('.');
    out.append(cents % 100 / 10).append(cents % 10).append("\",\"event_time_us\":");
    out.append(payment.timeMicros).append(",\"reasons\":[").append(reasons);
    out.append("],\"source\":{\"topic\":\"").append(topic).append("\",\"partition\":");
    out.append(payment.partition).append(",\"offset\":").append(payment.offset).append("}}");
    return out.toString().getBytes(StandardCharsets.UTF_8);
  }
}
