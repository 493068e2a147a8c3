package caracal.peers.flink;

import caracal.peers.Account;
import java.io.IOException;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.types.CopyableValue;

/** An account as keyed state: of fixed size, copied and written without a generic serializer. */
public final class FlinkAccount extends Account implements CopyableValue<FlinkAccount> {
  private static final int BYTES =
      (BURST + HISTORY + ROWS_KNOWN + 1) * Long.BYTES + 5 * Byte.BYTES;

  @Override
  public void write(DataOutputView out) throws IOException {
    writeAll(times, out);
    writeAll(cents, out);
    writeAll(rows, out);
    out.writeLong(sum);
    out.writeByte(timeCount);
    out.writeByte(historyCount);
    out.writeByte(historyNext);
    out.writeByte(rowCount);
    out.writeByte(rowNext);
  }

  @Override
  public void read(DataInputView in) throws IOException {
    readAll(times, in);
    readAll(cents, in);
    readAll(rows, in);
    sum = in.readLong();
    timeCount = in.readByte();
    historyCount = in.readByte();
    historyNext = in.readByte();
    rowCount = in.readByte();
    rowNext = in.readByte();
  }

  private static void writeAll(long[] values, DataOutputView out) throws IOException {
    for (long value : values) {
      out.writeLong(value);
    }
  }

  private static void readAll(long[] values, DataInputView in) throws IOException {
    for (int i = 0; i < values.length; ++i) {
      values[i] = in.readLong();
    }
  }

  @Override
  public int getBinaryLength() {
    return BYTES;
  }

  @Override
  public void copyTo(FlinkAccount target) {
    System.arraycopy(times, 0, target.times, 0, BURST);
    System.arraycopy(cents, 0, target.cents, 0, HISTORY);
    System.arraycopy(rows, 0, target.rows, 0, ROWS_KNOWN);
    target.sum = sum;
    target.timeCount = timeCount;
    target.historyCount = historyCount;
    target.historyNext = historyNext;
    target.rowCount = rowCount;
    target.rowNext = rowNext;
  }

  @Override
  public FlinkAccount copy() {
    FlinkAccount target = new FlinkAccount();
    copyTo(target);
    return target;
  }

  @Override
  public void copy(DataInputView source, DataOutputView target) throws IOException {
    target.write(source, BYTES);
  }
}
