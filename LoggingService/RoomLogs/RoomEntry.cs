using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>An entry of one room on its way from the journal to the room's files.</summary>
/// <param name="Sequence">The journal frame that made it durable.</param>
/// <param name="Event"><c>null</c> for an entry of the quarantine.</param>
internal readonly record struct RoomEntry(long Sequence, JournalEntry Entry, RoomEvent? Event)
{
    /// <summary>Where the writer expects a room id, this is the quarantine; no room id is empty.</summary>
    public const string Quarantine = "";

    public string RoomId => Event?.RoomId ?? Quarantine;

    public DateOnly Day => Entry.Day;

    /// <summary>The room of a journal entry.</summary>
    public static string RoomIdOf(JournalEntry entry) => Of(0, entry).RoomId;

    /// <summary>
    /// The entries of a frame. An event that can't be parsed, which only another program can have written, is unloggable.
    /// </summary>
    public static IEnumerable<RoomEntry> Of(JournalFrame frame) => frame.Entries.Select(entry => Of(frame.Sequence, entry));

    /// <summary>One entry of a frame.</summary>
    public static RoomEntry Of(long sequence, JournalEntry entry)
    {
        var e = entry.Kind == JournalEntryKind.Unloggable ? null : entry.Event
            ?? RoomEvent.FromJournal(entry.Bytes, isNote: entry.Kind == JournalEntryKind.Note);
        var isUnknown = e is null && entry.Kind != JournalEntryKind.Unloggable;
        e?.ReceivedTs = entry.ReceivedTs;
        return new(sequence, isUnknown ? entry with { Reason = $"a journal entry of kind {(int)entry.Kind}" } : entry, e);
    }
}
