namespace LoggingService.Visibility;

/// <summary>Who reads the logs. What a reader may see is decided in this folder only.</summary>
internal sealed record Reader
{
    /// <summary>Sees what everybody may see.</summary>
    public static Reader Anonymous { get; } = new();
}
