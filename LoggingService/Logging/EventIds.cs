namespace LoggingService.Logging;

/// <summary>The ids of all log messages, unique within the program, a block for each folder. Ids are stable: a retired one is not reused.</summary>
internal static class EventIds
{
    // Cli, Demo and startup: 100 to 199.

    // Registration: 200 to 299.

    // Http: 300 to 399.

    // Transactions: 400 to 499.

    // RoomLogs and Files: 500 to 599.

    // Rooms: 600 to 699.

    // Homeserver: 700 to 799.

    // Logging: 800 to 899.
}
