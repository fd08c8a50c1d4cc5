namespace LoggingService.Rendering;

/// <summary>
/// The lines of messages that consist of content blocks. (MSC1767; MSC3551 to MSC3553, MSC3927, MSC3245 for files, MSC3954 for
/// emotes, MSC3955 for automated messages, MSC3488 for locations.)
/// </summary>
internal static class ExtensibleLine
{
    /// <summary>"message", "image"; <c>null</c> if the canonical type is not one of an extensible message.</summary>
    public static string? Kind(string type) => type is "m.message" or "m.emote" or "m.encrypted"
        or "m.image" or "m.file" or "m.audio" or "m.video" or "m.voice" or "m.location"
        ? type["m.".Length..]
        : null;

    public static string? Render(RenderContext context, string kind) => kind == "encrypted"
        ? MessageLine.Encrypted(context)
        : MessageLine.Render(context, (relation, _, types) => Read(kind, relation.Content, types));

    private static MessageContent? Read(string kind, RawJson content, TypeCheck types)
    {
        var text = TextBlock.Plain(content, types);
        var isAutomated = types.Boolean(Block(content, "m.automated"u8, "org.matrix.msc1767.automated"u8)) == true;
        return kind switch
        {
            "location" => ReadLocation(text, content, types),
            "message" or "emote" when text is null => null,
            "emote" => MessageContent.Emote(text),
            "message" => isAutomated ? MessageContent.Notice(text) : MessageContent.Plain(text),
            _ => ReadFile(kind, text, content, types),
        };
    }

    private static MessageContent? ReadLocation(string? text, RawJson content, TypeCheck types)
    {
        var coordinates = Attachment.Coordinates(content, types);
        return (text ?? coordinates) is null
            ? null
            : MessageContent.Plain(text ?? Attachment.LocationName(content, types) ?? "", coordinates ?? "location");
    }

    private static MessageContent? ReadFile(string kind, string? text, RawJson content, TypeCheck types)
    {
        var file = types.Object(Block(content, "m.file"u8, "org.matrix.msc1767.file"u8));
        if (text is null && file.Bytes.IsEmpty)
        {
            return null;
        }

        // The text is a fallback for clients that don't know the kind; it often repeats the file's name.
        var name = types.NonEmpty(file["name"u8]) ?? "";
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
        return MessageContent.Plain(caption ?? (text == name ? "" : text) ?? "", details);
    }

    private static RawJson Block(RawJson content, ReadOnlySpan<byte> stable, ReadOnlySpan<byte> unstable) =>
        TypeCheck.StableOrUnstable(content[stable], content[unstable]);
}
