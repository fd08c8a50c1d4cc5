namespace LoggingService.Rendering;

/// <summary>
/// The lines of messages that consist of content blocks. (MSC1767; MSC3551 to MSC3553, MSC3927, MSC3245 for files, MSC3954 for
/// emotes, MSC3955 for automated messages, MSC3488 for locations.)
/// </summary>
internal static class ExtensibleLine
{
    /// <summary>"message", "image"; empty if the canonical type is not one of an extensible message.</summary>
    public static ReadOnlySpan<byte> Kind(string type) => type switch
    {
        "m.message" => "message"u8,
        "m.emote" => "emote"u8,
        "m.encrypted" => "encrypted"u8,
        "m.image" => "image"u8,
        "m.file" => "file"u8,
        "m.audio" => "audio"u8,
        "m.video" => "video"u8,
        "m.voice" => "voice"u8,
        "m.location" => "location"u8,
        _ => default,
    };

    public static bool Render(RenderContext context) => context.Event.CanonicalType == "m.encrypted"
        ? MessageLine.Encrypted(context)
        : MessageLine.Render(context, static (context, relation, _, types) =>
            Read(context.Event.CanonicalType!, relation.Content, types));

    private static MessageContent? Read(string type, RawJson content, TypeCheck types)
    {
        var text = TextBlock.Plain(content, types);
        var isAutomated = types.Boolean(Block(content, "m.automated"u8, "org.matrix.msc1767.automated"u8)) == true;
        return type switch
        {
            "m.location" => ReadLocation(text, content),
            "m.message" or "m.emote" when text is null => null,
            "m.emote" => MessageContent.Emote(text.Value),
            "m.message" => isAutomated ? MessageContent.Notice(text.Value) : MessageContent.Plain(text.Value),
            _ => ReadFile(Kind(type), text, content),
        };
    }

    private static MessageContent? ReadLocation(Utf8Text? text, RawJson content)
    {
        var coordinates = Attachment.Coordinates(content);
        return text is null && coordinates is null
            ? null
            : MessageContent.Plain(text ?? Attachment.LocationName(content) ?? default, coordinates ?? "location"u8);
    }

    private static MessageContent? ReadFile(ReadOnlySpan<byte> kind, Utf8Text? text, RawJson content)
    {
        // A detail of the wrong type is omitted.
        var types = new TypeCheck();
        var file = types.Object(Block(content, "m.file"u8, "org.matrix.msc1767.file"u8));
        if (text is null && file.Bytes.IsEmpty)
        {
            return null;
        }

        // The text is a fallback for clients that don't know the kind; it often repeats the file's name.
        var name = types.NonEmpty(file["name"u8]) ?? default;
        var caption = TextBlock.Plain(types.Object(Block(content, "m.caption"u8, "org.matrix.msc1767.caption"u8)), types);
        var image = types.Object(Block(content, "m.image_details"u8, "org.matrix.msc1767.image_details"u8));
        var video = types.Object(Block(content, "m.video_details"u8, "org.matrix.msc1767.video_details"u8));
        var audio = types.Object(Block(content, "m.audio_details"u8, "org.matrix.msc1767.audio_details"u8));

        // In seconds here, in milliseconds in m.room.message.
        var seconds = types.Integer(video["duration"u8]) ?? types.Integer(audio["duration"u8]);
        var details = Attachment.Details(
            kind,
            name,
            types.Integer(image["width"u8]) ?? types.Integer(video["width"u8]),
            types.Integer(image["height"u8]) ?? types.Integer(video["height"u8]),
            seconds is > 0 and <= long.MaxValue / 1000 ? seconds * 1000 : null,
            types.Integer(file["size"u8]),
            types.NonEmpty(file["url"u8]));
        return MessageContent.Plain(caption ?? (text == name ? null : text) ?? default, details);
    }

    private static RawJson Block(RawJson content, ReadOnlySpan<byte> stable, ReadOnlySpan<byte> unstable) =>
        TypeCheck.StableOrUnstable(content[stable], content[unstable]);
}
