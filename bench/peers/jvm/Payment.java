package caracal.peers;

/** One payment event, to be filled again for the next one. */
public class Payment {
  public long id;
  public long account;
  public long cents;
  public long timeMicros;
  public int partition;
  public long offset;
  public char operation;
}
