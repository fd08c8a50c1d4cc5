namespace LoggingService.Homeserver;

/// <summary>One thing of <see cref="ConnectionCheck"/>, and what was found.</summary>
/// <param name="State">Whether it is well.</param>
/// <param name="Text">A sentence; where it isn't well, what it means and what to do.</param>
internal sealed record CheckResult(CheckState State, string Text);

/// <summary>Whether a thing is well.</summary>
internal enum CheckState
{
    /// <summary>It is.</summary>
    Well,

    /// <summary>It isn't.</summary>
    Trouble,

    /// <summary>It can't be known before another thing is well.</summary>
    Unknown,
}
