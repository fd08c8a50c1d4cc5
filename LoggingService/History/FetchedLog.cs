using LoggingService.Consent;
using LoggingService.Journal;
using LoggingService.RoomLogs;
using LoggingService.Transactions;

namespace LoggingService.History;

/// <summary>Logs events that were fetched, in the same way as those that are pushed.</summary>
internal sealed class FetchedLog(LogDirectory logs, OptOut optOut, Admission admission, TimeProvider time)
{
    /// <summary>
    /// Makes events durable, all or none, once transactions are admitted, too, and waits until they are in the room's files, so that pages
    /// don't accumulate in the journal.
    /// </summary>
    /// <param name="dayOf">The day of an event's files; <c>null</c> for today.</param>
    /// <param name="note">A note before them.</param>
    /// <exception cref="IOException">The journal can't be written.</exception>
    public async Task AppendAsync(
        IReadOnlyList<RoomEvent> events, Func<RoomEvent, DateOnly>? dayOf, CancellationToken cancellation, RoomEvent? note = null)
    {
        await admission.WhenOpenAsync(cancellation);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var logged = await optOut.ApplyAsync(events);
        var entries = logged.Select(e => JournalEntry.OfFetched(e, now, dayOf?.Invoke(e))).OrderBy(entry => entry.Day).ToList();
        if (note is not null)
        {
            entries.Insert(0, new(JournalEntryKind.Note, 0, default, note.Json.Bytes) { Event = note });
        }

        await logs.AppendAsync(entries);
        await logs.CaughtUpAsync().WaitAsync(cancellation);
    }
}
