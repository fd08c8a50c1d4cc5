using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LoggingService.Consent;

/// <summary>
/// Who may set a room's topic, as <c>room.json</c> keeps it: hashes of user ids, which an erasure need not find, no more of them than the
/// two state events list. (Client-Server API, <c>m.room.power_levels</c>; room version 12 for creators.)
/// </summary>
internal static class TopicSetters
{
    private const int CreatorsOutrankAll = 12;
    private const int HashLength = 12;

    /// <summary>Those that <c>m.room.create</c> lets do anything, as an array; empty before version 12.</summary>
    public static RawJson OfCreation(RawJson content, string? creator)
    {
        var version = content["room_version"u8].AsString() ?? "1";
        var isNewest = version == "org.matrix.hydra.11"
            || (int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= CreatorsOutrankAll);
        var creators = content["additional_creators"u8].Items().Select(other => other.AsString()).Prepend(creator).OfType<string>();
        return ToJson(ToArray(isNewest ? creators.Select(Hash) : []));
    }

    /// <summary>Those that <c>m.room.power_levels</c> lets set the topic, as an object: all users or none, and the exceptions.</summary>
    /// <param name="sentAt">The <c>origin_server_ts</c> of the event.</param>
    public static RawJson OfPowerLevels(RawJson content, long? sentAt)
    {
        var topic = content["events"u8]["m.room.topic"u8];
        var required = LevelOf(topic.Bytes.IsEmpty ? content["state_default"u8] : topic, 50);
        var isAll = LevelOf(content["users_default"u8], 0) >= required;
        var exceptions = content["users"u8].Members().Where(user => (LevelOf(user.Value, 0) >= required) != isAll);
        var except = ToArray(exceptions.Select(user => Hash(user.Key)));
        return ToJson($$"""{"all":{{(isAll ? "true" : "false")}},"except":{{except}},"ts":{{sentAt ?? 0}}}""");
    }

    /// <summary>When the event with the power levels was sent; <c>null</c> if they are not known.</summary>
    public static long? SentAt(RawJson powerLevels) => powerLevels["ts"u8].AsInteger();

    /// <summary>Whether a user may set the topic; false if either is missing.</summary>
    public static bool Contain(RawJson creators, RawJson powerLevels, string userId)
    {
        var hash = Hash(userId);
        return creators.Kind == JsonValueKind.Array
            && powerLevels.Kind == JsonValueKind.Object
            && (Has(creators) || (powerLevels["all"u8].AsBoolean() == true) != Has(powerLevels["except"u8]));

        bool Has(RawJson hashes) => hashes.Items().Any(item => item.AsString() == hash);
    }

    private static string Hash(string userId) => Hash(Utf8Text.From(userId));

    private static string Hash(Utf8Text userId) => Convert.ToBase64String(SHA256.HashData(userId.Span).AsSpan(0, HashLength));

    private static string ToArray(IEnumerable<string> hashes) => $"[{string.Join(',', hashes.Select(hash => $"\"{hash}\""))}]";

    private static RawJson ToJson(string json) => new(Encoding.ASCII.GetBytes(json));

    /// <summary>Up to room version 9 a level may be a string; <c>null</c> if it is neither.</summary>
    private static long? LevelOf(RawJson value, long @default) => value.Kind switch
    {
        JsonValueKind.Undefined => @default,
        JsonValueKind.String => long.TryParse(value.AsString(), CultureInfo.InvariantCulture, out var level) ? level : null,
        _ => value.AsInteger(),
    };
}
