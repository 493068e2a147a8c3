package caracal.peers;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * Measures one drain from its first record on, and tells who has started the program.
 *
 * <p>firstRecord() is called for every record, on any thread.
 */
public final class Pass {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private static volatile boolean waiting;
  private static long startNanos;
  private static long startCpuNanos;

  private Pass() {}

  /** A pass begins: its start is the next record. */
  public static void begin(String group) {
    waiting = true;
    System.out.println("{\"begin\":\"" + group + "\"}");
  }

  public static void firstRecord() {
    if (waiting) {
      start();
    }
  }

  private static synchronized void start() {
    if (waiting) {
      startNanos = System.nanoTime();
      startCpuNanos = SYSTEM.getProcessCpuTime();
      waiting = false;
    }
  }

  /** Everything that the pass had to do is durable. */
  public static synchronized void end() {
    if (waiting) {
      throw new IllegalStateException("the pass has ended without a record");
    }
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    double cpu = (SYSTEM.getProcessCpuTime() - startCpuNanos) / 1e9;
    System.out.printf("{\"seconds\":%.3f,\"cpu_seconds\":%.3f}%n", seconds, cpu);
  }

  /** Stays until whoever has started the program has looked at it. */
  public static void waitForEndOfInput() throws java.io.IOException {
    while (System.in.read() >= 0) {}
  }
}
