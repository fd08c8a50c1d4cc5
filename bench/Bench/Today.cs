namespace Bench;

/// <summary>The contenders' time zone: one where the day has just begun, so that no run crosses midnight.</summary>
internal static class Today
{
    private static readonly DateTime Started = DateTime.UtcNow;

    private static readonly int OffsetHours = Started.Hour <= 12 ? -Started.Hour : 24 - Started.Hour;

    // The sign of these names is the reverse of the offset's.
    public static string TimeZone => $"Etc/GMT{-OffsetHours:+0;-0;+0}";

    public static TimeSpan Offset => TimeSpan.FromHours(OffsetHours);

    public static DateOnly Date { get; } = DateOnly.FromDateTime(Started.AddHours(OffsetHours));

    /// <summary>The name of the files of a day.</summary>
    public static string Name(DateOnly day) => day.ToString("yyyyMMdd");
}
