using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>An entry of one room on its way from the journal to the room's files.</summary>
/// <param name="Sequence">The journal frame that made it durable.</param>
internal readonly record struct RoomEntry(long Sequence, JournalEntry Entry)
{
    /// <summary>Where the writer expects a room id, this is the quarantine; no room id is empty.</summary>
    public const string Quarantine = "";

    /// <summary><c>null</c> for an entry of the quarantine.</summary>
    public RoomEvent? Event => Entry.Event;

    public string RoomId => RoomIdOf(Entry);

    public DateOnly Day => Entry.Day;

    /// <summary>A room id for messages.</summary>
    public static string NameOf(string roomId) => roomId == Quarantine ? "the quarantine" : roomId;

    public static string RoomIdOf(JournalEntry entry) => entry.Event?.RoomId ?? Quarantine;

    public static IEnumerable<RoomEntry> Of(JournalFrame frame) => frame.Entries.Select(entry => new RoomEntry(frame.Sequence, entry));
}
