using System.Globalization;
using System.Text;

namespace LoggingService.Erasure;

/// <summary>What <c>erase</c> was asked for: one of an event, a user or a room.</summary>
internal sealed record ErasureRequest
{
    public string? EventId { get; init; }

    public string? User { get; init; }

    /// <summary>In place of the user's id, everywhere; <c>null</c> keeps it.</summary>
    public string? Pseudonym { get; init; }

    /// <summary>The id of the room.</summary>
    public string? Room { get; init; }

    /// <summary>Only days before this one; <c>null</c> for all.</summary>
    public DateOnly? Before { get; init; }

    /// <summary>In milliseconds since 1970: earlier events of the room are not logged again.</summary>
    public long Until { get; init; }

    /// <summary>
    /// When the first run began to remove all of a room, in milliseconds since 1970: a repetition removes nothing that was received later.
    /// </summary>
    public long? MarkedAt { get; init; }

    /// <summary>The work began before, and was interrupted: some lines are erased already.</summary>
    public bool IsResumed { get; init; }

    /// <summary>Whether both ask for the same.</summary>
    public bool IsSameAs(ErasureRequest other) =>
        (EventId, User, Room, Before, Pseudonym is null) == (other.EventId, other.User, other.Room, other.Before, other.Pseudonym is null);

    /// <summary>What is searched in input that could not be logged.</summary>
    public string Name => EventId ?? User ?? Room!;

    /// <summary><c>null</c> if the bytes are no request.</summary>
    public static ErasureRequest? Parse(ReadOnlyMemory<byte> bytes)
    {
        if (!RawJson.TryParse(bytes, out var json, out _))
        {
            return null;
        }

        var request = new ErasureRequest
        {
            EventId = json["event_id"u8].AsString(),
            User = json["user_id"u8].AsString(),
            Pseudonym = json["pseudonym"u8].AsString(),
            Room = json["room_id"u8].AsString(),
            Before = json["before"u8].AsString() is { } day
                ? DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture)
                : null,
            Until = json["until"u8].AsInteger() ?? 0,
            MarkedAt = json["marked_at"u8].AsInteger(),
            IsResumed = json["resumed"u8].AsBoolean() == true,
        };
        return request is { EventId: null, User: null, Room: null } ? null : request;
    }

    public byte[] ToJson()
    {
        var json = new StringBuilder("{");
        Add("event_id", EventId);
        Add("user_id", User);
        Add("pseudonym", Pseudonym);
        Add("room_id", Room);
        Add("before", Before?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        if (MarkedAt is { } markedAt)
        {
            json.Append(CultureInfo.InvariantCulture, $"\"marked_at\":{markedAt},");
        }

        json.Append(CultureInfo.InvariantCulture, $"\"until\":{Until},\"resumed\":{(IsResumed ? "true" : "false")}}}\n");
        return Encoding.ASCII.GetBytes(json.ToString());

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                json.Append(CultureInfo.InvariantCulture, $"\"{name}\":\"{JsonString.Encode(value)}\",");
            }
        }
    }
}
