namespace LoggingService.Rendering;

/// <summary>The lines of <c>m.room.create</c>, <c>m.room.encryption</c> and <c>m.room.tombstone</c>. (Client-Server API.)</summary>
internal static class RoomLifeLine
{
    public static bool Create(RenderContext context) => context.Sentence((content, types) =>
    {
        var type = types.NonEmpty(content["type"u8]);
        var creator = types.NonEmpty(content["creator"u8]);
        var additionalCreators = types.Strings(content["additional_creators"u8]);
        var upgradedFrom = types.NonEmpty(types.Object(content["predecessor"u8])["room_id"u8]);
        var isSpace = content["type"u8].IsString("m.space"u8);
        var creators = additionalCreators.ConvertAll(static id => (Phrase?)SafeText.UserId(id));
        var isFederated = types.Boolean(content["m.federate"u8]) ?? true;

        // Missing means version 1; but up to version 10 a redaction removes it.
        var version = types.NonEmpty(content["room_version"u8]) ?? (context.ArrivedRedacted ? null : Utf8Text.From("1"));
        Phrase?[] details =
        [
            version is { } number ? $"version {SafeText.RoomVersion(number)}" : Phrase.None,
            type is { } kind && !isSpace ? $"of type {SafeText.Quoted(kind)}" : Phrase.None,
            upgradedFrom is { } room ? $"upgraded from {SafeText.RoomId(room)}" : Phrase.None,
            creator is null || creator == context.Event.SenderText ? Phrase.None : $"creator {SafeText.UserId(creator)}",
            additionalCreators.Count == 0 ? Phrase.None : $"together with {Prose.Join(creators)}",
            isFederated ? Phrase.None : "closed to other servers"u8,
        ];
        var list = Prose.List(details);
        return $"created the {(isSpace ? "space"u8 : "room"u8)}{(list.Span.IsEmpty ? Phrase.None : $" ({list})")}";
    });

    /// <summary>Encryption can't be switched off, so any later event changes its settings.</summary>
    public static bool Encryption(RenderContext context) => context.ChangeSentence(
        static (content, types) => types.NonEmpty(content["algorithm"u8]) is { } algorithm ? SafeText.Quoted(algorithm) : Phrase.None,
        (_, previous) => previous is null ? "switched encryption on: messages can no longer be logged"u8
            : context.IsUnchanged ? "switched encryption on again (nothing changed): messages still cannot be logged"u8
            : "changed the settings of encryption: messages still cannot be logged"u8);

    public static bool Tombstone(RenderContext context) => context.Sentence(static (content, types) =>
    {
        var body = types.NonEmpty(content["body"u8]);
        var replacement = types.NonEmpty(content["replacement_room"u8]);
        return replacement is { } room ? $"upgraded the room to {SafeText.RoomId(room)}{SafeText.QuotedSuffix(body)}"
            : body is not null ? $"closed the room{SafeText.QuotedSuffix(body)}"
            : Phrase.None;
    });
}
