namespace LoggingService.Files;

/// <summary>The name of a file that belongs to a day: the date and a suffix, as in <c>20261123.jsonl</c>.</summary>
internal readonly record struct DayFileName(DateOnly Day, string Suffix)
{
    private const string Format = "yyyyMMdd";
    private const string RecordSuffix = ".jsonl";
    private const string TextSuffix = ".log";
    private const string IdsSuffix = ".ids";

    /// <summary>True also for a compressed record.</summary>
    public bool IsRecord => Suffix is RecordSuffix or RecordSuffix + DayFile.CompressedSuffix;

    public bool IsIds => Suffix == IdsSuffix;

    /// <summary>True also for a compressed text, not for those that were set aside.</summary>
    public bool IsText => Suffix is TextSuffix or TextSuffix + DayFile.CompressedSuffix;

    public bool IsCompressed => Suffix.EndsWith(DayFile.CompressedSuffix, StringComparison.Ordinal);

    public DayFileName Compressed => this with { Suffix = Suffix + DayFile.CompressedSuffix };

    public static DayFileName Record(DateOnly day) => new(day, RecordSuffix);

    public static DayFileName Text(DateOnly day) => new(day, TextSuffix);

    public static DayFileName Ids(DateOnly day) => new(day, IdsSuffix);

    public static DayFileName? Parse(string? name)
    {
        var length = Math.Min(name?.Length ?? 0, Format.Length);
        return DateOnly.TryParseExact(name.AsSpan(0, length), Format, out var day) ? new(day, name![length..]) : null;
    }

    /// <summary>The files of days in a folder, in no order; none if the folder does not exist.</summary>
    public static IEnumerable<DayFileName> In(string folder) => Posix.Stat(folder) is null
        ? []
        : Directory.EnumerateFiles(folder).Select(path => Parse(Path.GetFileName(path))).OfType<DayFileName>();

    public override string ToString() => Day.ToString(Format) + Suffix;
}
