using System.Text;
using LoggingService.Rendering;

namespace LoggingService.Search;

/// <summary>What a search finds an event by: the text that a person wrote, and the names of files.</summary>
internal readonly record struct SearchableText(string Text, HitKinds Kinds)
{
    /// <summary>
    /// Whether an event may have text of its own: not one that was removed, erased, soft-failed, marked as spam, or not logged at its
    /// sender's wish; nor an edit, whose text belongs to the original.
    /// </summary>
    public static bool MayHave(RoomEvent e) =>
        e is { IsNote: false, Sender: not null }
        && IsOfKind(e.CanonicalType, e.StateKey)
        && !Relation.IsEdit(e)
        && IsShown(e);

    /// <summary>An event, or an edit, whose content is shown.</summary>
    public static bool IsShown(RoomEvent e) =>
        !RemovedLine.ArrivedRedacted(e) && RenderContext.NoticeOf(e) is null && !NotLogged.IsStub(e);

    /// <summary>Reads the content of an event, or of its newest edit; <c>null</c> if it has no text.</summary>
    /// <param name="hasFallback">The text may begin with a quotation of the event that it replies to.</param>
    public static SearchableText? Read(RoomEvent e, RawJson content, bool hasFallback)
    {
        var text = new StringBuilder();
        var kinds = HitKinds.None;
        switch (e.CanonicalType)
        {
            case "m.room.topic":
                Add(text, content["topic"u8].AsText());
                break;
            case "m.room.message" or "m.sticker":
                kinds = ReadMessage(e, content, hasFallback, text);
                break;
            case "m.poll.start":
                ReadPoll(content, text);
                break;
            default:
                kinds = ReadExtensible(e.CanonicalType!, content, text);
                break;
        }

        if (HasLink(text, content))
        {
            kinds |= HitKinds.Link;
        }

        return text.Length == 0 && kinds == HitKinds.None ? null : new(text.ToString(), kinds);
    }

    private static bool IsOfKind(string? type, string? stateKey) => (type, stateKey) switch
    {
        ("m.room.topic", "") => true,
        (_, not null) or (null, _) or ("m.encrypted", _) => false,
        ("m.room.message" or "m.sticker" or "m.poll.start", _) => true,
        _ => !ExtensibleLine.Kind(type).IsEmpty,
    };

    private static HitKinds ReadMessage(RoomEvent e, RawJson content, bool hasFallback, StringBuilder text)
    {
        var msgtype = content["msgtype"u8];
        if (msgtype.IsString("m.key.verification.request"u8))
        {
            return HitKinds.None;
        }

        var types = new TypeCheck();
        Add(text, MessageLine.Text(content, hasFallback, PerMessageProfile.Read(content, types), types));
        if (Gallery.IsGallery(msgtype))
        {
            return ReadGallery(content, text);
        }

        var kinds = e.CanonicalType == "m.sticker" ? HitKinds.Image : KindsOf(MessageLine.FileKind(content));
        if (kinds != HitKinds.None)
        {
            AddFileName(text, content);
        }

        return kinds;
    }

    private static HitKinds ReadGallery(RawJson content, StringBuilder text)
    {
        var kinds = HitKinds.None;
        foreach (var item in content["itemtypes"u8].Items())
        {
            kinds |= KindsOf(MessageLine.FileKind(item["itemtype"u8], item));
            Add(text, item["body"u8].AsText());
            AddFileName(text, item);
        }

        return kinds;
    }

    private static void ReadPoll(RawJson content, StringBuilder text)
    {
        var types = new TypeCheck();
        Add(text, PollLine.Question(content, types));
        var poll = TypeCheck.StableOrUnstable(content["m.poll"u8], content["org.matrix.msc3381.poll.start"u8]);
        foreach (var answer in poll["answers"u8].Items())
        {
            Add(text, TextBlock.Plain(answer, types));
        }
    }

    private static HitKinds ReadExtensible(string type, RawJson content, StringBuilder text)
    {
        var types = new TypeCheck();
        Add(text, TextBlock.Plain(content, types));
        if (type == "m.location")
        {
            Add(text, Attachment.LocationName(content));
            return HitKinds.None;
        }

        Add(text, TextBlock.Plain(TypeCheck.StableOrUnstable(content["m.caption"u8], content["org.matrix.msc1767.caption"u8]), types));
        var file = TypeCheck.StableOrUnstable(content["m.file"u8], content["org.matrix.msc1767.file"u8]);
        Add(text, file["name"u8].AsText());
        return type is "m.message" or "m.emote" ? HitKinds.None : KindsOf(ExtensibleLine.Kind(type));
    }

    private static HitKinds KindsOf(ReadOnlySpan<byte> fileKind) => fileKind.IsEmpty ? HitKinds.None
        : fileKind.SequenceEqual("image"u8) ? HitKinds.Image | HitKinds.File
        : HitKinds.File;

    private static void AddFileName(StringBuilder text, RawJson content)
    {
        var name = content["filename"u8].AsText();
        if (name != content["body"u8].AsText())
        {
            Add(text, name);
        }
    }

    private static void Add(StringBuilder text, Utf8Text? part)
    {
        if (part is { Length: > 0 } found)
        {
            // A phrase does not go on from one to the next: the line break is between two words, and the mark is one.
            text.Append(text.Length == 0 ? "" : "\n\uE000\n").Append(found.ToString());
        }
    }

    private static bool HasLink(StringBuilder text, RawJson content)
    {
        var words = text.ToString();
        return words.Contains("https://", StringComparison.OrdinalIgnoreCase)
            || words.Contains("http://", StringComparison.OrdinalIgnoreCase)
            || content["formatted_body"u8].Bytes.Span.IndexOf("href=\\\"http"u8) >= 0;
    }
}

/// <summary>What an event has besides words.</summary>
[Flags]
internal enum HitKinds
{
    None = 0,
    Link = 1,
    Image = 2,

    /// <summary>A file of any kind, images included.</summary>
    File = 4,

    /// <summary>It was fetched: its place in the record does not tell when it was sent.</summary>
    Fetched = 8,
}
