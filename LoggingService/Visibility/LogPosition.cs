namespace LoggingService.Visibility;

/// <summary>A line of a room's record, counted from 0. Lines of a day keep their numbers, whatever is erased of them.</summary>
internal readonly record struct LogPosition(DateOnly Day, int Line) : IComparable<LogPosition>
{
    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;

    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;

    public static bool operator <=(LogPosition left, LogPosition right) => left.CompareTo(right) <= 0;

    public static bool operator >=(LogPosition left, LogPosition right) => left.CompareTo(right) >= 0;

    public int CompareTo(LogPosition other) => Day == other.Day ? Line.CompareTo(other.Line) : Day.CompareTo(other.Day);
}
