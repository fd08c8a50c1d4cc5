namespace LoggingService.Rendering;

/// <summary>The lines of messages, stickers and encrypted events. (Client-Server API, "Instant Messaging".)</summary>
internal static class MessageLine
{
    /// <summary>Reads what a kind of message shows; <c>null</c> selects the fallback.</summary>
    public delegate MessageContent? Reader(RenderContext context, Relation relation, PerMessageProfile profile, TypeCheck types);

    public static bool Render(RenderContext context) => Render(context, Read);

    /// <summary>The line of any event with a head, a relation to an earlier event and text.</summary>
    public static bool Render(RenderContext context, Reader read)
    {
        var types = new TypeCheck();
        var relation = Relation.Read(context, types);
        var profile = PerMessageProfile.Read(relation.Content, types);
        var content = relation.IsOfRemoved ? MessageContent.Plain(default, ""u8) : read(context, relation, profile, types);
        if (content is not { } message || (types.Failed && !relation.IsOfRemoved))
        {
            return false;
        }

        // Without text and details it would look like a truncated line.
        var hasText = !Blank.IsBlank(message.Text.Span);
        var details = !hasText && message.Details is null ? "empty"u8 : message.Details;
        var name = profile.Name is { } claimed ? $"as {SafeText.Quoted(claimed)}" : Phrase.None;
        var notice = context.Notice;

        // Only a bracket shows where the head of an emote ends, if it contains more than a name.
        var needsBracket = message.Form == MessageForm.Emote && (notice ?? name ?? relation.Head ?? details) is not null;
        var output = context.Output;
        output.Append(message.Form switch { MessageForm.Notice => "-"u8, MessageForm.Emote => "* "u8, _ => "<"u8 });
        output.Append(needsBracket ? "<"u8 : ""u8);
        context.Sender.WriteTo(output);
        AppendPart(output, notice);
        AppendPart(output, name);
        AppendPart(output, relation.Head);
        AppendPart(output, details);
        output.Append(message.Form switch { MessageForm.Notice => "-"u8, MessageForm.Emote => ""u8, _ => ">"u8 });
        output.Append(needsBracket ? ">"u8 : ""u8);
        if (hasText)
        {
            output.Append(" "u8);
            SafeText.Escape(message.Text).WriteTo(output);
        }

        return true;
    }

    /// <summary>Relations of an encrypted event may be in clear. It never uses the fallback, which would log the ciphertext.</summary>
    public static bool Encrypted(RenderContext context) =>
        Render(context, static (_, _, _, _) => MessageContent.Plain(default, "encrypted: cannot be logged"u8))
        || context.Write($"<{context.Sender}{context.NoticePart}, encrypted: cannot be logged>");

    /// <summary>
    /// The text of a message without the copies of other texts that it begins with: the body, or where that is blank the text of its
    /// HTML; <c>null</c> without either.
    /// </summary>
    public static Utf8Text? Text(RawJson content, bool hasFallback, PerMessageProfile profile, TypeCheck types)
    {
        var body = types.String(content["body"u8]);
        var text = body is { } raw ? profile.RemoveFallback(hasFallback ? Relation.RemoveFallback(raw) : raw) : default;
        return Blank.IsBlank(text.Span, alsoLineBreaks: true) && HtmlText.Formatted(content) is { } html ? html
            : body is null ? null
            : text;
    }

    /// <summary>The kind of a message that is a file; empty for others. (MSC3245 for voice messages.)</summary>
    public static ReadOnlySpan<byte> FileKind(RawJson content) => FileKind(content["msgtype"u8], content);

    /// <param name="type">The <c>msgtype</c>; of a part of a gallery its <c>itemtype</c>.</param>
    public static ReadOnlySpan<byte> FileKind(RawJson type, RawJson content)
    {
        return type.IsString("m.image"u8) ? "image"u8
            : type.IsString("m.file"u8) ? "file"u8
            : type.IsString("m.audio"u8) ? IsVoice(content) ? "voice"u8 : "audio"u8
            : type.IsString("m.video"u8) ? "video"u8
            : default;
    }

    private static bool IsVoice(RawJson content) =>
        TypeCheck.IsPresent(content["org.matrix.msc3245.voice"u8]) || TypeCheck.IsPresent(content["m.voice"u8]);

    private static MessageContent? Read(RenderContext context, Relation relation, PerMessageProfile profile, TypeCheck types)
    {
        var content = relation.Content;
        if (Text(content, relation.HasFallback, profile, types) is not { } text)
        {
            return null;
        }

        var isSticker = context.Event.CanonicalType == "m.sticker";
        var msgtype = content["msgtype"u8];
        if (!isSticker && msgtype.IsString("m.text"u8))
        {
            return MessageContent.Plain(text);
        }

        var fileKind = isSticker ? "sticker"u8 : FileKind(content);
        if (!fileKind.IsEmpty)
        {
            return Attachment.File(fileKind, content, text);
        }

        return types.String(msgtype)?.ToString() switch
        {
            _ when Gallery.IsGallery(msgtype) => Gallery.Read(content, text, types),
            "m.notice" => MessageContent.Notice(text),
            "m.emote" => MessageContent.Emote(text),
            "m.location" => MessageContent.Plain(text, Attachment.Coordinates(content) ?? "location"u8),
            "m.key.verification.request" when types.NonEmpty(content["to"u8]) is { } to =>
                MessageContent.Plain(text, $"asks {SafeText.UserId(to)} for verification"),
            "m.key.verification.request" => MessageContent.Plain(text, "asks for verification"u8),

            // Quoted, so that it can't be "image cat.png".
            { } other => MessageContent.Plain(text, $"of type {SafeText.Quoted(Utf8Text.From(other))}"),
            null => MessageContent.Plain(text, "of no type"u8),
        };
    }

    private static void AppendPart(LineBuffer output, Phrase? part)
    {
        if (part is not null && !part.Span.IsEmpty)
        {
            output.Append(", "u8);
            output.Append(part.Span);
        }
    }
}
