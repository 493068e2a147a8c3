package caracal.peers.flink;

import caracal.peers.Payment;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.CopyableValue;

/** A payment on its way from the source to the task that owns its account: 45 bytes. */
public final class FlinkPayment extends Payment implements CopyableValue<FlinkPayment> {
  private static final int BYTES = 5 * Long.BYTES + Integer.BYTES + 1;

  @Override
  public void write(DataOutputView out) throws IOException {
    out.writeLong(id);
    out.writeLong(account);
    out.writeLong(cents);
    out.writeLong(timeMicros);
    out.writeLong(offset);
    out.writeInt(partition);
    out.writeByte(operation);
  }

  @Override
  public void read(DataInputView in) throws IOException {
    id = in.readLong();
    account = in.readLong();
    cents = in.readLong();
    timeMicros = in.readLong();
    offset = in.readLong();
    partition = in.readInt();
    operation = (char) in.readByte();
  }

  @Override
  public int getBinaryLength() {
    return BYTES;
  }

  @Override
  public void copyTo(FlinkPayment target) {
    target.id = id;
    target.account = account;
    target.cents = cents;
    target.timeMicros = timeMicros;
    target.offset = offset;
    target.partition = partition;
    target.operation = operation;
  }

  @Override
  public FlinkPayment copy() {
    FlinkPayment target = new FlinkPayment();
    copyTo(target);
    return target;
  }

  @Override
  public void copy(DataInputView source, DataOutputView target) throws IOException {
    target.write(source, BYTES);
  }
}
