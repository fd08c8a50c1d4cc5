using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>The lines of what people say: <c>m.room.message</c> of every msgtype, <c>m.sticker</c>, and <c>m.room.encrypted</c>, of which nothing can be said. (Client-Server API, "Instant Messaging".)</summary>
internal static class MessageLine
{
    /// <summary>The line of a message or sticker; <c>null</c> where content has a wrong type or there is no body.</summary>
    public static string? Render(RenderContext context) =>
        Render(context, (relation, profile, types) => Read(context.Event.Type == "m.sticker", relation, profile, types));

    /// <summary>The line of anything that has a head, a relation to an earlier event, and words.</summary>
    /// <param name="context">The event.</param>
    /// <param name="said">Reads what it says itself; <c>null</c> where the general form must do.</param>
    /// <returns>The line; <c>null</c> where content has a wrong type.</returns>
    public static string? Render(RenderContext context, Func<Relation, TypeCheck, MessageContent?> said) => Render(context, (relation, _, types) => said(relation, types));

    private static string? Render(RenderContext context, Func<Relation, PerMessageProfile, TypeCheck, MessageContent?> said)
    {
        var types = new TypeCheck();
        var relation = Relation.Read(context, types);
        var profile = PerMessageProfile.Read(relation.Content, types);
        if (said(relation, profile, types) is not { } words || types.Failed)
        {
            return null;
        }

        List<string> head = [context.Sender];
        if (profile.Name is not null)
        {
            head.Add($"as {SafeText.Quoted(profile.Name)}");
        }

        head.AddRange([.. relation.Head, .. words.About]);
        var text = words.Text;
        if (text.AsSpan().Trim(' ').IsEmpty)
        {
            // Where the head says nothing of it either, it would look like a line that was cut.
            text = "";
            head.AddRange(words.About.Any() ? [] : ["empty"]);
        }

        // Only a bracket tells where the head of an emote ends, once there is more in it than a name.
        var (opening, closing) = words.Closing.Length == 0 && head.Count > 1 ? ($"{words.Opening}<", ">") : (words.Opening, words.Closing);
        return $"{opening}{string.Join(", ", head)}{closing}{(text.Length == 0 ? "" : " ")}{SafeText.Escape(text)}";
    }

    /// <summary>The line of an encrypted event: what it belongs to may be told in clear. Never its ciphertext, so there is no general form, whatever is wrong with the rest.</summary>
    public static string Encrypted(RenderContext context) =>
        Render(context, static (_, _) => MessageContent.Plain("", "encrypted: cannot be logged")) ?? $"<{context.Sender}, encrypted: cannot be logged>";

    /// <summary>A sound that was spoken for this message. (MSC3245.)</summary>
    public static bool IsVoice(RawJson content) => TypeCheck.IsPresent(content["org.matrix.msc3245.voice"u8]) || TypeCheck.IsPresent(content["m.voice"u8]);

    private static MessageContent? Read(bool isSticker, Relation relation, PerMessageProfile profile, TypeCheck types)
    {
        var content = relation.Content;
        if (types.String(content["body"u8]) is not { } body)
        {
            return null;
        }

        var text = profile.WithoutName(relation.HasFallback ? Relation.WithoutFallback(body) : body);
        var msgtype = isSticker ? null : types.String(content["msgtype"u8]);
        var fileKind = msgtype switch
        {
            null when isSticker => "sticker",
            "m.image" => "image",
            "m.file" => "file",
            "m.audio" when IsVoice(content) => "voice",
            "m.audio" => "audio",
            "m.video" => "video",
            _ => null,
        };
        if (fileKind is not null)
        {
            var about = Attachment.File(fileKind, content, text, types, out var caption);
            return MessageContent.Plain(caption, about);
        }

        return msgtype switch
        {
            "m.text" => MessageContent.Plain(text),
            "m.notice" => MessageContent.Notice(text),
            "m.emote" => MessageContent.Emote(text),
            "m.location" => MessageContent.Plain(text, Attachment.Location(content, types)),
            "m.key.verification.request" => MessageContent.Plain(text, types.NonEmpty(content["to"u8]) is { } to ? $"asks {SafeText.UserId(to)} for verification" : "asks for verification"),

            // Its words: so it can't be "image cat.png".
            not null => MessageContent.Plain(text, $"of type {SafeText.Quoted(msgtype)}"),
            null => MessageContent.Plain(text, "of no type"),
        };
    }
}
