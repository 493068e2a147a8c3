package caracal.peers.streams;

import caracal.peers.Account;
import caracal.peers.Alerts;
import caracal.peers.Pass;
import caracal.peers.Payment;
import caracal.peers.PaymentReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/**
 * The two reference rulesets on Kafka Streams: one processor on the records' bytes, two stream
 * threads, accounts in a hash map of each task (AccountStore) without a changelog.
 *
 * <p>StreamsPeer BROKERS TOPIC GROUP GUARANTEE COMMIT_MS PASSES DIRECTORY; no passes: until its
 * standard input ends
 */
public final class StreamsPeer {
  private static final String ACCOUNTS = "accounts";
  private static final int WAIT_SECONDS = 600;

  private final String brokers;
  private final String topic;
  private final String guarantee;
  private final String commitMs;
  private final String directory;

  private StreamsPeer(String[] args) {
    brokers = args[0];
    topic = args[1];
    guarantee = args[3];
    commitMs = args[4];
    directory = args[6];
  }

  public static void main(String[] args) throws Exception {
    StreamsPeer peer = new StreamsPeer(args);
    int passes = Integer.parseInt(args[5]);
    for (int pass = 0; pass < passes; ++pass) {
      peer.drain(args[2] + "-" + pass);
    }
    if (passes > 0) {
      Pass.waitForEndOfInput();
    } else {
      peer.serve(args[2]);
    }
  }

  private KafkaStreams application(String group) {
    KafkaStreams streams = new KafkaStreams(topology(group + ".alerts"), properties(group));
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
          return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
    return streams;
  }

  private void serve(String group) throws Exception {
    try (KafkaStreams streams = application(group)) {
      streams.start();
      Pass.waitForEndOfInput();
    }
  }

  private void drain(String group) throws Exception {
    try (KafkaStreams streams = application(group);
        Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
      Map<TopicPartition, Long> ends = ends(admin);
      Pass.begin(group);
      streams.start();
      long deadline = System.nanoTime() + WAIT_SECONDS * 1_000_000_000L;
      while (!isCommitted(admin, group, ends)) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException(group + " has not come to the end");
        }
        Thread.sleep(20);
      }
      Pass.end();
    }
  }

  private Map<TopicPartition, Long> ends(Admin admin) throws Exception {
    int partitions =
        admin.describeTopics(List.of(topic)).topicNameValues().get(topic).get()
            .partitions().size();
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (int partition = 0; partition < partitions; ++partition) {
      asked.put(new TopicPartition(topic, partition), OffsetSpec.latest());
    }
    return admin.listOffsets(asked).all().get().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
  }

  private static boolean isCommitted(Admin admin, String group, Map<TopicPartition, Long> ends)
      throws Exception {
    Map<TopicPartition, OffsetAndMetadata> committed;
    try {
      committed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    } catch (ExecutionException error) {
      if (error.getCause() instanceof RetriableException) {
        return false; // the broker is too busy to answer, or the group is not known yet
      }
      throw error;
    }
    return ends.entrySet().stream()
        .allMatch(
            end -> {
              OffsetAndMetadata offset = committed.get(end.getKey());
              return offset != null && offset.offset() >= end.getValue();
            });
  }

  private Topology topology(String alerts) {
    return new Topology()
        .addSource("payments", new ByteArrayDeserializer(), new ByteArrayDeserializer(), topic)
        .addProcessor("judge", Judge::new, "payments")
        .addStateStore(new AccountStore.Builder(ACCOUNTS), "judge")
        .addSink("alerts", alerts, new ByteArraySerializer(), new ByteArraySerializer(), "judge");
  }

  private Properties properties(String group) {
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, commitMs);
    properties.put(StreamsConfig.STATE_DIR_CONFIG, directory);
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "2");
    properties.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "20000");
    properties.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    properties.put(StreamsConfig.consumerPrefix("max.poll.records"), "20000");
    // Nobody is lost in one process, whatever else the machine does.
    properties.put(StreamsConfig.consumerPrefix("session.timeout.ms"), "300000");
    properties.put(StreamsConfig.consumerPrefix("max.poll.interval.ms"), "600000");
    properties.put(StreamsConfig.consumerPrefix("fetch.max.bytes"), "67108864");
    properties.put(StreamsConfig.consumerPrefix("max.partition.fetch.bytes"), "8388608");
    properties.put(StreamsConfig.consumerPrefix("receive.buffer.bytes"), "4194304");
    properties.put(StreamsConfig.consumerPrefix("check.crcs"), "false");
    properties.put(StreamsConfig.producerPrefix("linger.ms"), "1");
    properties.put(StreamsConfig.producerPrefix("batch.size"), "262144");
    return properties;
  }

  /** Judges the payments of one task. */
  private static final class Judge implements Processor<byte[], byte[], byte[], byte[]> {
    private final PaymentReader reader = new PaymentReader();
    private final Payment payment = new Payment();
    private ProcessorContext<byte[], byte[]> context;
    private AccountStore accounts;

    @Override
    public void init(ProcessorContext<byte[], byte[]> own) {
      context = own;
      accounts = own.getStateStore(ACCOUNTS);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      Pass.firstRecord();
      try {
        if (!reader.read(record.value(), payment)) {
          return;
        }
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      Account account = accounts.get(payment.account);
      int judged = account.judge(payment);
      if (judged > 0) {
        RecordMetadata source = context.recordMetadata().orElseThrow();
        payment.partition = source.partition();
        payment.offset = source.offset();
        Alerts.write(
            judged, payment, source.topic(), alert -> context.forward(record.withValue(alert)));
      }
    }
  }
}
