import java.nio.file.Path;
import java.time.Duration;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.connectors.HttpConnector;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.dbms.api.DatabaseManagementService;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

/** Starts a Neo4j Community server with Bolt on loopback: the published artifact has no entry point of its own. Arguments: home, port. */
public class Launcher {
  public static void main(String[] arguments) throws Exception {
    DatabaseManagementService service = new DatabaseManagementServiceBuilder(Path.of(arguments[0]))
        .setConfig(GraphDatabaseSettings.auth_enabled, false)
        .setConfig(GraphDatabaseSettings.transaction_timeout, Duration.ofMinutes(10))
        .setConfig(BoltConnector.enabled, true)
        .setConfig(BoltConnector.listen_address, new SocketAddress("127.0.0.1", Integer.parseInt(arguments[1])))
        .setConfig(HttpConnector.enabled, false)
        .build();
    Runtime.getRuntime().addShutdownHook(new Thread(service::shutdown));
    service.database("neo4j").isAvailable(60_000);
    System.out.println("ready");
    // The parent holds standard input open: when it dies, however it dies, this read ends and so does the server.
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
