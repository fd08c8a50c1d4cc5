using System.Diagnostics;
using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>
/// Replaces what was logged: files of a room while its log is closed and its events wait, and parked entries. Neither the writer, a
/// repair, a compression nor the removal of old days touches the files meanwhile.
/// </summary>
internal sealed class LogRewriting(
    RoomLogWriter writer, RoomDispatcher rooms, RoomFaults faults, Parking parking, Checkpoint checkpoint, WriteAheadJournal journal)
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);
    private readonly Lock _files = new();

    /// <summary>The rooms with entries that their files can't take.</summary>
    public IReadOnlyCollection<string> ParkedRooms => parking.Rooms;

    /// <summary>Runs an action that replaces or removes files of days, while no other one does.</summary>
    public T Exclusive<T>(Func<T> action)
    {
        lock (_files)
        {
            return action();
        }
    }

    public Task<T> ExclusiveAsync<T>(Func<T> action) => Task.Run(() => Exclusive(action));

    /// <summary>
    /// The state of a room's files. A search between two equal states without pending work has read all that was written before: a repair
    /// removes lines that it appends again.
    /// </summary>
    public Task<(bool IsPending, long Repairs)> FindStateAsync(string roomId) =>
        writer.InTurnAsync(() => (rooms.IsPending(roomId), faults.Repairs));

    /// <summary>Runs work on the files of a room, in the background, while its log is closed.</summary>
    /// <param name="roomId"><see cref="RoomEntry.Quarantine"/> for the quarantine.</param>
    /// <exception cref="IOException">The files can't be read or written, or the room stays parked.</exception>
    public async Task<T> RunAsync<T>(string roomId, Func<T> work)
    {
        var result = default(T)!;
        for (var startedAt = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(startedAt) < Timeout; await Task.Delay(Retry))
        {
            if (await writer.InTurnAsync(() => rooms.TryRunClosed(roomId, () => result = Exclusive(work))) is { } running)
            {
                await running;
                return result;
            }

            await writer.InTurnAsync(() => faults.RetryAtOnce(roomId));
        }

        throw new IOException($"The log of {RoomEntry.NameOf(roomId)} can't be written now");
    }

    /// <summary>
    /// Replaces the parked entries of a room. They are read and written in the background; only the exchange of the files is in the
    /// writer's turn, while no repair reads them, and no checkpoint adds to them.
    /// </summary>
    /// <param name="rewrite">Returns the entry to keep; <c>null</c> drops it. Called in the background, once for each entry.</param>
    /// <exception cref="IOException">They can't be read or written, or a repair of the room does not end; the old ones stay.</exception>
    public async Task RewriteParkedAsync(string roomId, Func<JournalEntry, JournalEntry?> rewrite)
    {
        using var parked = parking.StartRewrite(roomId, rewrite);
        if (parked is null)
        {
            return;
        }

        await Task.Run(parked.Prepare);
        for (var startedAt = Stopwatch.GetTimestamp(); ; await Task.Delay(Retry))
        {
            if (await checkpoint.ExclusiveAsync(() => writer.InTurnAsync(() => rooms.TryRunIdle(roomId, parked.TryApply))))
            {
                return;
            }

            if (Stopwatch.GetElapsedTime(startedAt) > Timeout)
            {
                throw new IOException($"The entries that wait for the log of {RoomEntry.NameOf(roomId)} can't be replaced now");
            }

            // Those that a checkpoint has added.
            await Task.Run(parked.Prepare);
        }
    }

    /// <summary>Deletes the file that the journal keeps for reuse, which may have bytes of dropped entries.</summary>
    public void DeleteSpare() => journal.DeleteSpare();
}
