namespace LoggingService.Rendering;

/// <summary>What a message says beside who sends it and what it belongs to.</summary>
/// <param name="Opening">How its head opens: <c>&lt;</c> for most, <c>-</c> for a notice, <c>* </c> for an emote.</param>
/// <param name="About">What the head says of it, a part each: <c>image cat.png</c>, <c>640×480</c>.</param>
/// <param name="Closing">How its head closes.</param>
/// <param name="Text">The sender's words after the head, not yet safe; may be empty.</param>
internal readonly record struct MessageContent(string Opening, IEnumerable<string> About, string Closing, string Text)
{
    /// <summary>Words between the brackets that most have.</summary>
    public static MessageContent Plain(string text, params IEnumerable<string> about) => new("<", about, ">", text);

    /// <summary>The words of a program.</summary>
    public static MessageContent Notice(string text) => new("-", [], "-", text);

    /// <summary>What the sender does.</summary>
    public static MessageContent Emote(string text) => new("* ", [], "", text);
}
