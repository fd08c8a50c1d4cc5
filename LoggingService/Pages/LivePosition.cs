using System.Globalization;

namespace LoggingService.Pages;

/// <summary>What a reader has of a day: the id of a live event. It means the same after a restart of either process.</summary>
/// <param name="Lines">The lines of the day's record that were considered.</param>
/// <param name="State">Of the day at that time. (<see cref="Visibility.RoomVisibility.StateOf"/>)</param>
internal readonly record struct LivePosition(DateOnly Day, int Lines, string State)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Day:yyyyMMdd}-{Lines}-{State}");

    public static LivePosition? Parse(string? text) => text?.Split('-') is [var day, var lines, var state]
        && DateOnly.TryParseExact(day, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
        && int.TryParse(lines, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(date, number, state)
            : null;
}
