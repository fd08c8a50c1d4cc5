using LoggingService.Consent;
using LoggingService.RoomLogs;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Cli;

/// <summary>
/// Keeps in <c>room.json</c> what a command replays from the journal, as the service does: after the command, only the record has it.
/// </summary>
internal static class ReplayedRoomFiles
{
    /// <summary>To be called before the replay.</summary>
    public static void Subscribe(
        LogDirectory logs, RoomFiles files, RoomFileUpdates updates, LoggingServiceOptions options, TimeProvider time)
    {
        _ = new RoomRetention(logs, files, updates, options, NullLogger<RoomRetention>.Instance);
        new KeptVisibility(logs, files, updates, time).Subscribe();
        RoomPower.Subscribe(logs, updates);

        // The service's next start applies them: the homeserver knows who may have wishes.
        _ = new PendingWishes(logs, files, updates, time);
    }

    /// <summary>Waits for the replay, and writes what it said: a kill after the next checkpoint must not lose it.</summary>
    public static async Task CaughtUpAsync(LogDirectory logs, RoomFileUpdates updates)
    {
        await logs.CaughtUpAsync();
        updates.WriteAll();
    }

    /// <summary>Stops the logs, whose last checkpoint empties the journal, and writes what is left.</summary>
    public static async Task StopAsync(LogDirectory logs, RoomFileUpdates updates)
    {
        updates.WriteAll();
        await logs.StopAsync();
        await updates.StopAsync(CancellationToken.None);
    }
}
