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

    public static RoomWish None { get; } = new(null, null, null, false);

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
