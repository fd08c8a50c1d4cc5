using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace LoggingService.Events;

/// <summary>
/// A line of the service itself in a room's log. Its record line ends with <c>,"received_ts":N,"note":true}</c>: that of a pushed event
/// always ends with <c>received_ts</c>, so that no event can imitate a note.
/// </summary>
internal static class Note
{
    /// <summary>The type of the note behind which nothing is logged, because the room has no logged alias anymore.</summary>
    public const string LoggingStopped = "logging.stopped";

    /// <summary>The type of the note before the first event that is logged again.</summary>
    public const string LoggingResumed = "logging.resumed";

    /// <summary>The type of the note that a notice was sent to the room, which says that it is logged.</summary>
    public const string NoticeSent = "notice.sent";

    /// <summary>The type of the note that the room's wishes changed. Its content has the keys in effect, and the sender.</summary>
    public const string WishesChanged = "wishes.changed";

    /// <summary>The type of the note that wishes were refused: their sender may not set the topic.</summary>
    public const string WishesRefused = "wishes.refused";

    /// <summary>
    /// The type of the note before events that were fetched because they had not been pushed. Its content has their <c>count</c>, and the
    /// times of the first and the last one in milliseconds since 1970, <c>from</c> and <c>to</c>.
    /// </summary>
    public const string EventsFetched = "events.fetched";

    /// <summary>The type of the note that events between two times, <c>from</c> and <c>to</c>, may not have been pushed.</summary>
    public const string EventsMissing = "events.missing";

    /// <summary>The room got an alias. Content: <c>alias</c>, and <c>previous_room</c> if the alias was that room's.</summary>
    public const string AliasAdded = "alias.added";

    /// <summary>An alias is not the room's any more. Content: <c>alias</c>, and <c>room</c> if it is that room's now.</summary>
    public const string AliasRemoved = "alias.removed";

    /// <summary>Our user was kicked or banned. Content: <c>membership</c>, <c>leave</c> or <c>ban</c>, and <c>by</c>, a user.</summary>
    public const string ServiceRemoved = "service.removed";

    /// <summary>Encryption was switched on: messages can't be logged any more.</summary>
    public const string EncryptionEnabled = "encryption.enabled";

    /// <summary>The room was replaced by another one, which is followed. Content: <c>replacement_room</c>.</summary>
    public const string RoomUpgraded = "room.upgraded";

    /// <summary>The room replaces another one that was logged. Content: <c>predecessor</c>.</summary>
    public const string UpgradedFrom = "room.upgraded-from";

    /// <summary>The replacement of the room can't be joined. Content: <c>replacement_room</c>.</summary>
    public const string UpgradeFailed = "room.upgrade-failed";

    /// <summary>The replacement does not name the room as its predecessor. Content: <c>replacement_room</c>.</summary>
    public const string UpgradeRefused = "room.upgrade-refused";

    /// <summary>
    /// What the room was like when it was first logged. Content: <c>name</c>, <c>topic</c> and <c>history_visibility</c>, if it has them,
    /// <c>members</c>, a number, and <c>listed</c>, how many of them the notes of the type below list.
    /// </summary>
    public const string FirstState = "state.first";

    /// <summary>Members when the room was first logged. Content: <c>members</c>, an object of user ids with names or <c>null</c>.</summary>
    public const string FirstMembers = "state.members";

    /// <param name="type">One of the types above.</param>
    /// <param name="cause">The id of the event that caused the note: one cause makes one note of a type.</param>
    /// <param name="writeContent">Writes the properties of the content.</param>
    public static RoomEvent Create(string type, string roomId, string cause, Action<Utf8JsonWriter>? writeContent = null)
    {
        var json = new ArrayBufferWriter<byte>();
        json.Write("{\"content\":"u8);
        using (var content = new Utf8JsonWriter(json))
        {
            content.WriteStartObject();
            writeContent?.Invoke(content);
            content.WriteEndObject();
        }

        json.Write(Encoding.ASCII.GetBytes(
            $$""","event_id":"{{IdOf(type, cause)}}","room_id":"{{JsonString.Encode(roomId)}}","type":"{{type}}"}"""));
        return RoomEvent.FromJournal(json.WrittenMemory, isNote: true)!;
    }

    /// <summary>The event id of a note of a type with a cause.</summary>
    public static string IdOf(string type, string cause) =>
        $"{type}-{Convert.ToHexStringLower(XxHash128.Hash(MemoryMarshal.AsBytes(cause.AsSpan())))}";

    /// <summary>Whether a line tells if the room is logged: an event, or one of the notes of logging that stopped or resumed.</summary>
    public static bool TellsIfLogged(RoomEvent e) => !e.IsNote || e.Type is LoggingStopped or LoggingResumed;

    /// <summary>Whether a line of a record, without its line break, is a note.</summary>
    public static bool IsRecord(ReadOnlySpan<byte> line)
    {
        if (!line.EndsWith(",\"note\":true}"u8))
        {
            return false;
        }

        var time = line[..^",\"note\":true}".Length];
        var number = time[(time.LastIndexOfAnyExceptInRange((byte)'0', (byte)'9') + 1)..];
        return !number.IsEmpty && time[..^number.Length].EndsWith(",\"received_ts\":"u8);
    }
}
