package caracal.peers.flink;

import caracal.peers.Account;
import caracal.peers.Alerts;
import caracal.peers.Pass;
import caracal.peers.PaymentReader;
import java.io.IOException;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.ValueTypeInfo;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The two reference rulesets on Flink's DataStream API: everything in this JVM, two slots, accounts
 * as keyed state on the heap, objects reused, records parsed in the source so that only what the
 * rules need crosses the shuffle.
 *
 * <p>FlinkPeer BROKERS TOPIC GROUP none|exactly_once CHECKPOINT_MS PASSES DIRECTORY; no passes: until
 * its standard input ends
 */
public final class FlinkPeer {
  private static final int SLOTS = 2;

  private final String brokers;
  private final String topic;
  private final boolean exactlyOnce;
  private final long checkpointMs;
  private final String directory;

  private FlinkPeer(String[] args) {
    brokers = args[0];
    topic = args[1];
    exactlyOnce = args[3].equals("exactly_once");
    checkpointMs = Long.parseLong(args[4]);
    directory = args[6];
  }

  public static void main(String[] args) throws Exception {
    FlinkPeer peer = new FlinkPeer(args);
    int passes = Integer.parseInt(args[5]);
    for (int pass = 0; pass < passes; ++pass) {
      String group = args[2] + "-" + pass;
      StreamExecutionEnvironment environment = peer.job(group, true);
      Pass.begin(group);
      environment.execute(group); // the topic's end is the job's
      Pass.end();
    }
    if (passes == 0) {
      peer.job(args[2], false).setBufferTimeout(1).executeAsync(args[2]);
    }
    Pass.waitForEndOfInput();
    Runtime.getRuntime().halt(0); // a job without an end has threads that keep the JVM
  }

  private StreamExecutionEnvironment job(String group, boolean bounded) {
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(SLOTS, configuration());
    environment.getConfig().enableObjectReuse();
    if (exactlyOnce) {
      environment.enableCheckpointing(checkpointMs);
    }
    environment
        .fromSource(source(group, bounded), WatermarkStrategy.noWatermarks(), "payments")
        .keyBy(payment -> payment.account, Types.LONG)
        .process(new Judge(topic))
        .returns(PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO)
        .sinkTo(sink(group));
    return environment;
  }

  private Configuration configuration() {
    Configuration configuration = new Configuration();
    configuration.set(StateBackendOptions.STATE_BACKEND, "hashmap");
    configuration.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file://" + directory);
    // One process: nobody is lost, whatever else the machine does.
    configuration.set(HeartbeatManagerOptions.HEARTBEAT_TIMEOUT, Duration.ofMinutes(10));
    configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "disable");
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(128));
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(128));
    return configuration;
  }

  private KafkaSource<FlinkPayment> source(String group, boolean bounded) {
    KafkaSourceBuilder<FlinkPayment> builder = KafkaSource.<FlinkPayment>builder();
    if (bounded) {
      builder.setBounded(OffsetsInitializer.latest());
    }
    return builder
        .setBootstrapServers(brokers)
        .setTopics(topic)
        .setGroupId(group)
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setDeserializer(new Deserializer())
        .setProperty("max.poll.records", "20000")
        .setProperty("fetch.max.bytes", "67108864")
        .setProperty("max.partition.fetch.bytes", "8388608")
        .setProperty("receive.buffer.bytes", "4194304")
        .setProperty("check.crcs", "false")
        .build();
  }

  private KafkaSink<byte[]> sink(String group) {
    return KafkaSink.<byte[]>builder()
        .setBootstrapServers(brokers)
        .setDeliveryGuarantee(
            exactlyOnce ? DeliveryGuarantee.EXACTLY_ONCE : DeliveryGuarantee.AT_LEAST_ONCE)
        .setTransactionalIdPrefix(group)
        .setProperty("transaction.timeout.ms", Long.toString(Duration.ofMinutes(5).toMillis()))
        .setProperty("linger.ms", "1")
        .setProperty("batch.size", "262144")
        .setRecordSerializer(new Serializer(group + ".alerts"))
        .build();
  }

  /** Parses in the source's task; the payment is written to the shuffle before the next one. */
  private static final class Deserializer
      implements KafkaRecordDeserializationSchema<FlinkPayment> {
    private transient PaymentReader reader;
    private transient FlinkPayment payment;

    @Override
    public void open(DeserializationSchema.InitializationContext context) {
      reader = new PaymentReader();
      payment = new FlinkPayment();
    }

    @Override
    public void deserialize(
        ConsumerRecord<byte[], byte[]> record, Collector<FlinkPayment> out) throws IOException {
      Pass.firstRecord();
      if (reader.read(record.value(), payment)) {
        payment.partition = record.partition();
        payment.offset = record.offset();
        out.collect(payment);
      }
    }

    @Override
    public TypeInformation<FlinkPayment> getProducedType() {
      return new ValueTypeInfo<>(FlinkPayment.class);
    }
  }

  /** Alerts are bytes already. */
  private static final class Serializer implements KafkaRecordSerializationSchema<byte[]> {
    private final String topic;

    Serializer(String topic) {
      this.topic = topic;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        byte[] alert, KafkaSinkContext context, Long timestamp) {
      return new ProducerRecord<>(topic, alert);
    }
  }

  /** Judges the payments of the accounts of one slot. */
  private static final class Judge extends KeyedProcessFunction<Long, FlinkPayment, byte[]> {
    private final String topic;
    private transient ValueState<FlinkAccount> accounts;

    Judge(String topic) {
      this.topic = topic;
    }

    @Override
    public void open(OpenContext context) {
      accounts =
          getRuntimeContext()
              .getState(
                  new ValueStateDescriptor<>("account", new ValueTypeInfo<>(FlinkAccount.class)));
    }

    @Override
    public void processElement(FlinkPayment payment, Context context, Collector<byte[]> out)
        throws Exception {
      FlinkAccount account = accounts.value();
      if (account == null) {
        account = new FlinkAccount();
      }
      int judged = account.judge(payment);
      if (judged != Account.DUPLICATE) {
        accounts.update(account);
        Alerts.write(judged, payment, topic, out::collect);
      }
    }
  }
}
