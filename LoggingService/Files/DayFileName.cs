using System.Globalization;

namespace LoggingService.Files;

/// <summary>The name of a file that belongs to a day: the date and a suffix, as in <c>20261123.jsonl</c>.</summary>
internal readonly record struct DayFileName(DateOnly Day, string Suffix)
{
    private const string Format = "yyyyMMdd";
    private const string RecordSuffix = ".jsonl";
    private const string TextSuffix = ".log";

    public bool IsRecord => Suffix == RecordSuffix;

    /// <summary>True for <c>20261123.log</c> and for texts moved aside, <c>20261123.log.old.1</c>.</summary>
    public bool IsText => Suffix == TextSuffix || Suffix.StartsWith(TextSuffix + ".old", StringComparison.Ordinal);

    public static DayFileName Record(DateOnly day) => new(day, RecordSuffix);

    public static DayFileName Text(DateOnly day) => new(day, TextSuffix);

    public static bool TryParse(string? name, out DayFileName parsed)
    {
        var length = Math.Min(name?.Length ?? 0, Format.Length);
        var date = name.AsSpan(0, length);
        var isParsed = DateOnly.TryParseExact(date, Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day);
        parsed = isParsed ? new(day, name![length..]) : default;
        return isParsed;
    }

    public override string ToString() => Day.ToString(Format, CultureInfo.InvariantCulture) + Suffix;
}
