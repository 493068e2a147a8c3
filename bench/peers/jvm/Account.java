package caracal.peers;

/** What the two reference rulesets remember of an account: arrays of fixed size. */
public class Account {
  /** The account's row has been judged before. */
  public static final int DUPLICATE = -1;

  public static final int ABOVE_PROFILE = 1;
  public static final int BURST_AND_BIG = 2;

  protected static final int BURST = 6; // more than five
  protected static final int HISTORY = 50;
  protected static final int ROWS_KNOWN = 8; // rows are delivered again soon or never

  private static final long WINDOW_MICROS = 60_000_000;
  private static final int MIN_HISTORY = 3;
  private static final long RATIO = 3;
  private static final long FLOOR_CENTS = 500_00;
  private static final long BIG_CENTS = 4000_00;

  protected final long[] times = new long[BURST]; // ascending, the newest ones
  protected final long[] cents = new long[HISTORY]; // a ring
  protected final long[] rows = new long[ROWS_KNOWN]; // a ring
  protected long sum;
  protected int timeCount;
  protected int historyCount;
  protected int historyNext;
  protected int rowCount;
  protected int rowNext;

  /** The rulesets that alert on the payment, as bits, or DUPLICATE. */
  public final int judge(Payment payment) {
    if (payment.operation != 'u' && knowsRow(payment.id)) {
      return DUPLICATE;
    }
    int alerts = isAboveProfile(payment.cents) ? ABOVE_PROFILE : 0;
    if (isBurst(payment.timeMicros) && payment.cents > BIG_CENTS) {
      alerts |= BURST_AND_BIG;
    }
    return alerts;
  }

  private boolean knowsRow(long id) {
    for (int i = 0; i < rowCount; ++i) {
      if (rows[i] == id) {
        return true;
      }
    }
    rows[rowNext] = id;
    rowNext = (rowNext + 1) % ROWS_KNOWN;
    rowCount = Math.min(rowCount + 1, ROWS_KNOWN);
    return false;
  }

  private boolean isAboveProfile(long amount) {
    boolean above =
        historyCount >= MIN_HISTORY && amount > FLOOR_CENTS && amount * historyCount > RATIO * sum;
    if (historyCount == HISTORY) {
      sum -= cents[historyNext];
    } else {
      ++historyCount;
    }
    cents[historyNext] = amount;
    sum += amount;
    historyNext = historyNext + 1 == HISTORY ? 0 : historyNext + 1;
    return above;
  }

  /** Whether more than five payments lie in the minute that ends at the account's newest. */
  private boolean isBurst(long time) {
    long newest = timeCount == 0 ? time : Math.max(time, times[timeCount - 1]);
    if (time < newest - WINDOW_MICROS) {
      return false;
    }
    if (timeCount < BURST) {
      int place = timeCount++;
      for (; place > 0 && times[place - 1] > time; --place) {
        times[place] = times[place - 1];
      }
      times[place] = time;
    } else if (time > times[0]) {
      int place = 0;
      for (; place + 1 < BURST && times[place + 1] <= time; ++place) {
        times[place] = times[place + 1];
      }
      times[place] = time;
    }
    return timeCount == BURST && times[0] >= newest - WINDOW_MICROS;
  }
}
