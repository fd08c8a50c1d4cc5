using System.Text.RegularExpressions;

namespace LoggingService.Configuration;

/// <summary>A namespace's regular expression, with the meaning that Python's <c>re.match</c> gives it.</summary>
internal sealed class PythonPattern
{
    private readonly Regex regex;

    private PythonPattern(Regex regex) => this.regex = regex;

    /// <summary>Translates a pattern.</summary>
    /// <exception cref="FormatException">It can't be used; the message says why.</exception>
    public static PythonPattern Translate(string python)
    {
        try
        {
            return new(new Regex(@"\A(?:" + python + ")", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
        }
        catch (ArgumentException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    /// <summary>Whether the pattern matches at the beginning of the text.</summary>
    public bool IsMatch(string text) => regex.IsMatch(text);
}
