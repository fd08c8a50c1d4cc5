namespace LoggingService.PythonRegex;

/// <summary>How many characters a part of a Python pattern matches: Python looks behind by a fixed number only.</summary>
/// <param name="Least">The smallest number.</param>
/// <param name="Most">The greatest number; <see cref="Unbounded"/> and above are all the same.</param>
internal readonly record struct PythonWidth(ulong Least, ulong Most)
{
    /// <summary>Python's <c>MAXREPEAT</c>.</summary>
    private const ulong Unbounded = uint.MaxValue;

    /// <summary>Whether it is always the same number.</summary>
    public bool IsFixed => Least == Most;

    /// <summary>Of this, followed by another part.</summary>
    public PythonWidth Then(PythonWidth next) => Bounded(Least + next.Least, Most + next.Most);

    /// <summary>Of this, or another part instead.</summary>
    public PythonWidth Or(PythonWidth other) => new(Math.Min(Least, other.Least), Math.Max(Most, other.Most));

    /// <summary>Of this, repeated.</summary>
    /// <param name="least">The smallest number of times.</param>
    /// <param name="most">The greatest; <c>null</c> where there is none.</param>
    public PythonWidth Times(uint least, uint? most) => Bounded(Least * least, Most * (most ?? Unbounded));

    private static PythonWidth Bounded(ulong least, ulong most) => new(Math.Min(least, Unbounded - 1), Math.Min(most, Unbounded));
}
