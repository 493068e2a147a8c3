package caracal.peers.streams;

import caracal.peers.Account;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.state.StoreBuilder;

/**
 * The accounts of a task as objects in a hash map. The store that comes with the library, a tree of
 * byte arrays, would be read and written as bytes for every payment. A task that moves to the other
 * stream thread, as when the second one joins, finds its accounts again.
 */
final class AccountStore implements StateStore {
  private final String name;
  private final Map<TaskId, Map<Long, Account>> tasks;
  private Map<Long, Account> accounts;
  private boolean open;

  private AccountStore(String name, Map<TaskId, Map<Long, Account>> tasks) {
    this.name = name;
    this.tasks = tasks;
  }

  Account get(long account) {
    return accounts.computeIfAbsent(account, id -> new Account());
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void init(StateStoreContext context, StateStore root) {
    accounts = tasks.computeIfAbsent(context.taskId(), task -> new HashMap<>());
    context.register(root, (key, value) -> {});
    open = true;
  }

  @Override
  public void close() {
    open = false;
  }

  @Override
  public boolean persistent() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  /** Builds stores without a changelog and without a cache. */
  static final class Builder implements StoreBuilder<AccountStore> {
    private final String name;
    private final Map<TaskId, Map<Long, Account>> tasks = new ConcurrentHashMap<>();

    Builder(String name) {
      this.name = name;
    }

    @Override
    public AccountStore build() {
      return new AccountStore(name, tasks);
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public boolean loggingEnabled() {
      return false;
    }

    @Override
    public Map<String, String> logConfig() {
      return Map.of();
    }

    @Override
    public StoreBuilder<AccountStore> withCachingEnabled() {
      throw new UnsupportedOperationException();
    }

    @Override
    public StoreBuilder<AccountStore> withCachingDisabled() {
      return this;
    }

    @Override
    public StoreBuilder<AccountStore> withLoggingEnabled(Map<String, String> config) {
      throw new UnsupportedOperationException();
    }

    @Override
    public StoreBuilder<AccountStore> withLoggingDisabled() {
      return this;
    }
  }
}
