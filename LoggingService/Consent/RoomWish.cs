using System.Buffers;
using System.Text.Json;

namespace LoggingService.Consent;

/// <summary>
/// What a room wishes for its log, as far as <c>RoomMaySet</c> lets it decide: the content of <c>com.loggingservice.room</c>.
/// </summary>
/// <param name="Notice">False if the room does not want to be told that it is logged.</param>
/// <param name="NoLogPrefix">A prefix that counts as <c>NoLogPrefix</c> does, and besides it.</param>
/// <param name="Redactions"><c>keep</c> or <c>erase</c>.</param>
/// <param name="IsPaused">Nothing of the room is logged.</param>
internal sealed record RoomWish(bool? Notice, string? NoLogPrefix, string? Redactions, bool IsPaused)
{
    /// <summary>The type of the state event, with an empty state key.</summary>
    public const string EventType = "com.loggingservice.room";

    private const int MaxPrefixLength = 100;

    private const string AllKeys = "notice,no_log_prefix,redactions,paused";

    public static RoomWish None { get; } = new(null, null, null, false);

    /// <summary>Reads the content, whatever rooms may set.</summary>
    public static RoomWish ReadAll(RawJson content) => Read(content, AllKeys);

    /// <summary>The wishes alone: the sender of the content may have written anything else into it.</summary>
    /// <exception cref="ArgumentException">A value is not valid Unicode.</exception>
    public RawJson ToJson()
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            Write(json);
            json.WriteEndObject();
        }

        return new(output.WrittenMemory);
    }

    /// <summary>Writes the wishes as members of an object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        if (Notice is { } notice)
        {
            json.WriteBoolean("notice", notice);
        }

        if (NoLogPrefix is { } prefix)
        {
            json.WriteString("no_log_prefix", prefix);
        }

        if (Redactions is { } redactions)
        {
            json.WriteString("redactions", redactions);
        }

        if (IsPaused)
        {
            json.WriteBoolean("paused", true);
        }
    }

    /// <summary>Reads the content. Keys with values of another type, and those that rooms may not set, count as missing.</summary>
    /// <param name="maySet">The setting <c>RoomMaySet</c>.</param>
    public static RoomWish Read(RawJson content, string maySet)
    {
        if (content.Kind != JsonValueKind.Object)
        {
            return None;
        }

        var keys = maySet.Split(',');
        var prefix = content["no_log_prefix"u8].AsString()?.Trim();
        var redactions = content["redactions"u8].AsString();
        return new(
            keys.Contains("notice") ? content["notice"u8].AsBoolean() : null,
            keys.Contains("no_log_prefix") && prefix is { Length: > 0 and <= MaxPrefixLength } ? prefix : null,
            keys.Contains("redactions") && (redactions is "keep" or "erase") ? redactions : null,
            keys.Contains("paused") && content["paused"u8].AsBoolean() == true);
    }
}
