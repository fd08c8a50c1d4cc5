namespace LoggingService.Rendering;

/// <summary>The lines of <c>m.room.create</c>, <c>m.room.encryption</c> and <c>m.room.tombstone</c>. (Client-Server API.)</summary>
internal static class RoomLifeLine
{
    public static string? Create(RenderContext context) => context.Sentence((content, types) =>
    {
        var type = types.NonEmpty(content["type"u8]);
        var creator = types.NonEmpty(content["creator"u8]);
        var additionalCreators = types.Strings(content["additional_creators"u8]);
        var upgradedFrom = types.NonEmpty(types.Object(content["predecessor"u8])["room_id"u8]);
        var isFederated = types.Boolean(content["m.federate"u8]) ?? true;

        // Missing means version 1; but up to version 10 a redaction removes it.
        var version = types.NonEmpty(content["room_version"u8]) ?? (context.ArrivedRedacted ? null : "1");
        string?[] details =
        [
            version is null ? null : $"version {DescribeVersion(version)}",
            type is null or "m.space" ? null : $"of type {SafeText.Quoted(type)}",
            upgradedFrom is null ? null : $"upgraded from {SafeText.RoomId(upgradedFrom)}",
            creator is null || creator == context.Event.Sender ? null : $"creator {SafeText.UserId(creator)}",
            additionalCreators.Count == 0 ? null : $"together with {Prose.Join(additionalCreators.ConvertAll(SafeText.UserId))}",
            isFederated ? null : "closed to other servers",
        ];
        var list = Prose.List(details.OfType<string>());
        return $"created the {(type == "m.space" ? "space" : "room")}{(list.Length == 0 ? "" : $" ({list})")}";
    });

    /// <summary>Encryption can't be switched off, so any later event changes its settings.</summary>
    public static string? Encryption(RenderContext context) => context.ChangeSentence(
        static (content, types) => types.NonEmpty(content["algorithm"u8]),
        (_, previous) => previous is null ? "switched encryption on: messages can no longer be logged"
            : context.IsUnchanged ? "switched encryption on again (nothing changed): messages still cannot be logged"
            : "changed the settings of encryption: messages still cannot be logged");

    public static string? Tombstone(RenderContext context) => context.Sentence(static (content, types) =>
    {
        var body = types.NonEmpty(content["body"u8]);
        var replacement = types.NonEmpty(content["replacement_room"u8]);
        return replacement is not null ? $"upgraded the room to {SafeText.RoomId(replacement)}{SafeText.QuotedSuffix(body)}"
            : body is not null ? $"closed the room{SafeText.QuotedSuffix(body)}"
            : null;
    });

    /// <summary>Quoted unless it has only the recommended characters. (Client-Server API, "Room versions".)</summary>
    private static string DescribeVersion(string version) =>
        version.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-') ? version : SafeText.Quoted(version);
}
