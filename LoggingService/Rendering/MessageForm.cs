namespace LoggingService.Rendering;

/// <summary>How the head of a message is delimited.</summary>
internal enum MessageForm
{
    /// <summary><c>&lt;@alice:example.org&gt; hello</c></summary>
    Plain,

    /// <summary><c>-@alice:example.org- hello</c></summary>
    Notice,

    /// <summary><c>* @alice:example.org waves</c></summary>
    Emote,
}
