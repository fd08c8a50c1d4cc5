namespace LoggingService.Rendering;

/// <summary>A message with several files. (MSC4274.)</summary>
internal static class Gallery
{
    public static bool IsGallery(RawJson msgtype) => msgtype.IsString("m.gallery"u8) || msgtype.IsString("dm.filament.gallery"u8);

    /// <summary><c>gallery of 2 files: image one.jpg, 800×600, mxc://x/a; file plan.pdf, 2 KB, mxc://x/b</c></summary>
    public static MessageContent Read(RawJson content, Utf8Text caption, TypeCheck types)
    {
        var items = types.Items(content["itemtypes"u8]);
        Phrase count = $"gallery of {Prose.Pluralize(items.Count, "file"u8)}";
        return MessageContent.Plain(
            caption, items.Count == 0 ? count : $"{count}: {Prose.List(items.ConvertAll(item => Describe(types.Object(item))), "; ")}");
    }

    private static Phrase? Describe(RawJson item)
    {
        var types = new TypeCheck();
        var type = item["itemtype"u8];
        var kind = MessageLine.FileKind(type, item);
        Phrase noun = !kind.IsEmpty ? kind : types.String(type) is { } other ? $"of type {SafeText.Quoted(other)}" : "of no type"u8;
        var file = Attachment.File(noun.Span, item, types.String(item["body"u8]) ?? default);
        return Blank.IsBlank(file.Text.Span) ? file.Details : $"{file.Details}, {SafeText.Quoted(file.Text)}";
    }
}
