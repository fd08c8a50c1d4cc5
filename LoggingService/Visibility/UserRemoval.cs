namespace LoggingService.Visibility;

/// <summary>That all earlier events of a user were removed. (MSC4293.)</summary>
/// <param name="SentAt">In milliseconds since 1970.</param>
/// <param name="IsFetched">Its line does not tell what is earlier.</param>
internal readonly record struct UserRemoval(long SentAt, bool IsFetched)
{
    /// <summary>Of a line that can't be read: it may remove all.</summary>
    public static UserRemoval Unknown { get; } = new(long.MaxValue, IsFetched: true);

    /// <summary>Whether an event of the user is one of those.</summary>
    /// <param name="isLineBefore">Its line is before that of the removal.</param>
    /// <param name="sentAt">Counts if the event or the removal was fetched: their places don't tell which was first.</param>
    public bool Removes(bool isLineBefore, long? sentAt, bool isFetched) =>
        (isFetched || IsFetched) && sentAt is { } time ? time <= SentAt : isLineBefore;
}
