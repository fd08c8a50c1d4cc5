namespace LoggingService.Rendering;

/// <summary>The lines of messages, stickers and encrypted events. (Client-Server API, "Instant Messaging".)</summary>
internal static class MessageLine
{
    public static string? Render(RenderContext context) => Render(
        context, (relation, profile, types) => Read(context.Event.CanonicalType == "m.sticker", relation, profile, types));

    /// <summary>The line of any event with a head, a relation to an earlier event and text.</summary>
    public static string? Render(RenderContext context, Func<Relation, PerMessageProfile, TypeCheck, MessageContent?> read)
    {
        var types = new TypeCheck();
        var relation = Relation.Read(context, types);
        var profile = PerMessageProfile.Read(relation.Content, types);
        if (read(relation, profile, types) is not { } message || types.Failed)
        {
            return null;
        }

        // Without text and details it would look like a truncated line.
        var text = string.IsNullOrEmpty(message.Text.Trim(' ')) ? "" : $" {SafeText.Escape(message.Text)}";
        string[] details = text.Length == 0 && !message.Details.Any() ? ["empty"] : [.. message.Details];
        string[] name = profile.Name is null ? [] : [$"as {SafeText.Quoted(profile.Name)}"];
        string[] head = [context.Sender, .. name, .. relation.Head, .. details];

        // Only a bracket shows where the head of an emote ends, if it contains more than a name.
        var needsBracket = message.Closing.Length == 0 && head.Length > 1;
        var opening = needsBracket ? $"{message.Opening}<" : message.Opening;
        var closing = needsBracket ? ">" : message.Closing;
        return $"{opening}{string.Join(", ", head)}{closing}{text}";
    }

    /// <summary>Relations of an encrypted event may be in clear. It never uses the fallback, which would log the ciphertext.</summary>
    public static string Encrypted(RenderContext context) =>
        Render(context, static (_, _, _) => MessageContent.Plain("", "encrypted: cannot be logged"))
        ?? $"<{context.Sender}, encrypted: cannot be logged>";

    /// <summary>The kind of a message that is a file. (MSC3245 for voice messages.)</summary>
    public static string? FileKind(RawJson content)
    {
        var isVoice = TypeCheck.IsPresent(content["org.matrix.msc3245.voice"u8]) || TypeCheck.IsPresent(content["m.voice"u8]);
        return content["msgtype"u8].AsString() switch
        {
            "m.image" => "image",
            "m.file" => "file",
            "m.audio" => isVoice ? "voice" : "audio",
            "m.video" => "video",
            _ => null,
        };
    }

    private static MessageContent? Read(bool isSticker, Relation relation, PerMessageProfile profile, TypeCheck types)
    {
        var content = relation.Content;
        if (types.String(content["body"u8]) is not { } body)
        {
            return null;
        }

        var text = profile.RemoveFallback(relation.HasFallback ? Relation.RemoveFallback(body) : body);
        var msgtype = isSticker ? null : types.String(content["msgtype"u8]);
        var fileKind = isSticker ? "sticker" : FileKind(content);
        return fileKind is not null ? Attachment.File(fileKind, content, text, types) : msgtype switch
        {
            "m.text" => MessageContent.Plain(text),
            "m.notice" => MessageContent.Notice(text),
            "m.emote" => MessageContent.Emote(text),
            "m.location" => MessageContent.Plain(text, Attachment.Coordinates(content, types) ?? "location"),
            "m.key.verification.request" when types.NonEmpty(content["to"u8]) is { } to =>
                MessageContent.Plain(text, $"asks {SafeText.UserId(to)} for verification"),
            "m.key.verification.request" => MessageContent.Plain(text, "asks for verification"),

            // Quoted, so that it can't be "image cat.png".
            not null => MessageContent.Plain(text, $"of type {SafeText.Quoted(msgtype)}"),
            null => MessageContent.Plain(text, "of no type"),
        };
    }
}
