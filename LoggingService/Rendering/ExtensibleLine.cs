using LoggingService.Events;

namespace LoggingService.Rendering;

/// <summary>
/// The lines of messages that are event types of their own, made of content blocks: <c>m.message</c>, <c>m.image</c> and
/// so on. (MSC1767; MSC3551 to MSC3553, MSC3927, MSC3245 for files, MSC3954 for emotes, MSC3955 for programs, MSC3488 for places.)
/// </summary>
internal static class ExtensibleLine
{
    /// <summary>What kind of message a type is; <c>null</c> where it is no extensible message.</summary>
    public static string? Kind(string type) => type switch
    {
        "m.message" or "org.matrix.msc1767.message" => "message",
        "m.emote" or "org.matrix.msc1767.emote" or "org.matrix.msc3954.emote" => "emote",
        "m.image" or "org.matrix.msc1767.image" or "org.matrix.msc3552.image" => "image",
        "m.file" or "org.matrix.msc1767.file" or "org.matrix.msc3551.file" => "file",
        "m.audio" or "org.matrix.msc1767.audio" or "org.matrix.msc3927.audio" => "audio",
        "m.video" or "org.matrix.msc1767.video" or "org.matrix.msc3553.video" => "video",
        "m.voice" or "org.matrix.msc3245.voice" or "org.matrix.msc3245.voice.v2" => "voice",
        "m.location" or "org.matrix.msc3488.location" => "location",
        "m.encrypted" or "org.matrix.msc1767.encrypted" => "encrypted",
        _ => null,
    };

    /// <summary>The line; <c>null</c> where content has a wrong type, or where there is no plain text nor anything else to tell.</summary>
    public static string? Render(RenderContext context)
    {
        var kind = Kind(context.Event.Type!)!;
        return kind == "encrypted" ? MessageLine.Encrypted(context) : MessageLine.Render(context, (relation, types) => Read(kind, relation.Content, types));
    }

    private static MessageContent? Read(string kind, RawJson content, TypeCheck types)
    {
        var text = TextBlock.Plain(content, types);
        var isAutomated = types.Boolean(TypeCheck.StableOrUnstable(content["m.automated"u8], content["org.matrix.msc1767.automated"u8])) == true;
        switch (kind)
        {
            case "location":
                var place = Attachment.Location(content, types);
                return text is null && place == "location" ? null : MessageContent.Plain(text ?? Attachment.PlaceName(content, types) ?? "", place);
            case "message" or "emote":
                return text is null ? null : kind == "emote" ? MessageContent.Emote(text) : isAutomated ? MessageContent.Notice(text) : MessageContent.Plain(text);
            default:
                var file = types.Object(TypeCheck.StableOrUnstable(content["m.file"u8], content["org.matrix.msc1767.file"u8]));
                if (text is null && file.Bytes.IsEmpty)
                {
                    return null;
                }

                // The text is there for clients that don't know the kind: what the head says needn't be said again.
                var name = types.NonEmpty(file["name"u8]) ?? "";
                var caption = TextBlock.Plain(types.Object(TypeCheck.StableOrUnstable(content["m.caption"u8], content["org.matrix.msc1767.caption"u8])), types);
                return MessageContent.Plain(caption ?? (text == name ? "" : text) ?? "", About(kind, name, file, content, types));
        }
    }

    private static IEnumerable<string> About(string kind, string name, RawJson file, RawJson content, TypeCheck types)
    {
        var image = types.Object(TypeCheck.StableOrUnstable(content["m.image_details"u8], content["org.matrix.msc1767.image_details"u8]));
        var video = types.Object(TypeCheck.StableOrUnstable(content["m.video_details"u8], content["org.matrix.msc1767.video_details"u8]));
        var audio = types.Object(TypeCheck.StableOrUnstable(content["m.audio_details"u8], content["org.matrix.msc1767.audio_details"u8]));

        // Seconds here, where m.room.message has milliseconds.
        var seconds = types.Integer(video["duration"u8]) ?? types.Integer(audio["duration"u8]);
        return Attachment.Parts(
            kind,
            name,
            types.Integer(image["width"u8]) ?? types.Integer(video["width"u8]),
            types.Integer(image["height"u8]) ?? types.Integer(video["height"u8]),
            seconds is > 0 and <= long.MaxValue / 1000 ? seconds * 1000 : null,
            types.Integer(file["size"u8]),
            types.NonEmpty(file["url"u8]));
    }
}
