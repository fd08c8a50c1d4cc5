using System.Text.Json;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>From a line of a room's record on, its history is world readable, or it is not, or that is not known.</summary>
/// <param name="Day">The day of the record.</param>
/// <param name="SentAt">By the event's server, in milliseconds since 1970.</param>
/// <param name="ReceivedAt">By the service.</param>
/// <param name="IsFetched">It was not pushed: its place in the record does not tell when it happened.</param>
internal readonly record struct HistoryVisibility(DateOnly Day, long SentAt, long ReceivedAt, bool IsFetched, bool IsWorldReadable)
{
    /// <summary>
    /// The homeserver was asked when the room was first logged. It counts only where nothing before it in the record tells the history
    /// visibility: that is newer than the answer, or as old.
    /// </summary>
    public bool IsFirst { get; init; }

    /// <summary>What an event says; <c>null</c> if it says nothing.</summary>
    public static HistoryVisibility? Of(RoomEvent e, DateOnly day)
    {
        if (RenderContext.NoticeOf(e) is not null)
        {
            // What soft-failed is no state of the room.
            return null;
        }

        if (e.IsNote)
        {
            // State may have changed while nothing was logged.
            var mayHaveMissedState = e.Type is Note.LoggingStopped or Note.LoggingResumed or Note.EventsMissing
                || (e.Type == Note.WishesChanged && e.Content["paused"u8].AsBoolean() == true);
            var time = e.ReceivedTs ?? 0;
            if (e.Type == Note.FirstState && e.Content["history_visibility"u8] is { Kind: JsonValueKind.String } first)
            {
                return new(day, time, time, IsFetched: false, first.IsString("world_readable"u8)) { IsFirst = true };
            }

            var from = e.Type == Note.EventsMissing ? e.Content["from"u8].AsInteger() : null;
            return mayHaveMissedState ? new(day, from ?? time, time, IsFetched: false, IsWorldReadable: false) : null;
        }

        if (e is not { Type: "m.room.history_visibility", StateKeyText.Length: 0 })
        {
            return null;
        }

        var sentAt = e.OriginServerTs ?? e.ReceivedTs ?? 0;
        var isReadable = e.Content["history_visibility"u8].IsString("world_readable"u8);
        return new(day, sentAt, e.ReceivedTs ?? sentAt, e.FetchedTs is not null, isReadable);
    }

    /// <summary>Reads what <see cref="Write"/> has written; what is damaged is left out.</summary>
    public static List<HistoryVisibility> ReadAll(RawJson array)
    {
        var all = new List<HistoryVisibility>();
        foreach (var json in array.Items())
        {
            if (DateOnly.TryParseExact(json["day"u8].AsString(), "yyyy-MM-dd", out var day)
                && json["sent_ts"u8].AsInteger() is { } sentAt
                && json["received_ts"u8].AsInteger() is { } receivedAt)
            {
                var isFetched = json["fetched"u8].AsBoolean() == true;
                all.Add(new(day, sentAt, receivedAt, isFetched, json["world_readable"u8].AsBoolean() == true));
            }
        }

        return all;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("day", Day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        json.WriteNumber("sent_ts", SentAt);
        json.WriteNumber("received_ts", ReceivedAt);
        if (IsFetched)
        {
            json.WriteBoolean("fetched", true);
        }

        json.WriteBoolean("world_readable", IsWorldReadable);
        json.WriteEndObject();
    }
}
