using System.Globalization;
using System.Text;

namespace LoggingService.PythonRegex;

/// <summary>
/// The groups of a Python pattern, named or not, by their numbers: those of .NET are counted in another order. Says
/// whether a group may be referred to where it is.
/// </summary>
internal sealed class PythonGroups
{
    private readonly List<Group> _groups = [new(IsInLookBehind: false)];
    private readonly Dictionary<string, int> _names = [];
    private readonly Dictionary<int, int> _conditions = [];
    private int? _lookBehind;

    /// <summary>The next group begins here.</summary>
    /// <returns>Its number.</returns>
    public int Open()
    {
        _groups.Add(new(_lookBehind is not null));
        return _groups.Count - 1;
    }

    /// <summary>The next group begins here, and has a name.</summary>
    /// <exception cref="FormatException">The name is none, or another group's.</exception>
    public int Open(string name, int position)
    {
        CheckName(name, position);
        var group = Open();
        return _names.TryAdd(name, group) ? group : throw PythonSource.Refused(
            position, $"redefinition of group name '{name}' as group {group}; was group {_names[name]}");
    }

    /// <summary>A group ends here.</summary>
    public void Close(int group, PythonWidth width) => _groups[group] = _groups[group] with { Width = width };

    /// <summary>The number of a group that is referred to by its number.</summary>
    /// <exception cref="FormatException">There is none yet.</exception>
    public int Numbered(int group, int position) =>
        group < _groups.Count ? group : throw PythonSource.Refused(position, $"invalid group reference {group}");

    /// <summary>The number of a group that is referred to by its name.</summary>
    /// <exception cref="FormatException">There is none yet, or this is no name.</exception>
    public int Named(string name, int position)
    {
        CheckName(name, position);
        return _names.TryGetValue(name, out var group) ? group : throw PythonSource.Refused(position, $"unknown group name '{name}'");
    }

    /// <summary>The number of a group on which a condition depends; given as a number, it may be one still to come.</summary>
    /// <exception cref="FormatException">It is neither a name nor a number, or not allowed here.</exception>
    public int Condition(string name, int position)
    {
        if (!name.All(char.IsAsciiDigit))
        {
            var named = Named(name, position);
            CheckLookBehind(named, position);
            return named;
        }

        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var group))
        {
            throw PythonSource.Refused(position, $"invalid group reference {name}");
        }

        if (group == 0)
        {
            throw PythonSource.Refused(position, "bad group number");
        }

        _conditions.TryAdd(group, position);
        CheckLookBehind(group, position);
        return group;
    }

    /// <summary>The width of a group whose text is to be found again.</summary>
    /// <exception cref="FormatException">It is not closed yet, or not allowed here.</exception>
    public PythonWidth Referred(int group, int position)
    {
        var width = _groups[group].Width ?? throw PythonSource.Refused(position, "cannot refer to an open group");
        CheckLookBehind(group, position);
        // .NET looks behind from right to left, which leaves another repetition's text in the group.
        return _groups[group].IsInLookBehind
            ? throw PythonSource.Untranslatable(position, "a reference to a group of a look-behind")
            : width;
    }

    /// <summary>A look-behind begins.</summary>
    /// <returns>Whether it is in no other.</returns>
    public bool EnterLookBehind()
    {
        var isOuter = _lookBehind is null;
        _lookBehind ??= _groups.Count;
        return isOuter;
    }

    /// <summary>The outermost look-behind ends.</summary>
    public void LeaveLookBehind() => _lookBehind = null;

    /// <summary>At the end of the pattern: whether all conditions depend on groups that there are.</summary>
    /// <exception cref="FormatException">One does not.</exception>
    public void CheckConditions()
    {
        foreach (var (group, position) in _conditions)
        {
            Numbered(group, position);
        }
    }

    private void CheckLookBehind(int group, int position)
    {
        if (_lookBehind is null)
        {
            return;
        }

        if (group >= _groups.Count || _groups[group].Width is null)
        {
            throw PythonSource.Refused(position, "cannot refer to an open group");
        }

        if (group >= _lookBehind)
        {
            throw PythonSource.Refused(position, "cannot refer to group defined in the same lookbehind subpattern");
        }
    }

    /// <summary><c>str.isidentifier</c>.</summary>
    private static void CheckName(string name, int position)
    {
        var isFirst = true;
        foreach (var rune in name.EnumerateRunes())
        {
            var isAllowed = Rune.GetUnicodeCategory(rune) switch
            {
                <= UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber => true,
                UnicodeCategory.ConnectorPunctuation => !isFirst || rune.Value == '_',
                UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber => !isFirst,
                _ => false,
            };
            isFirst = false;
            if (!isAllowed)
            {
                throw PythonSource.Refused(position, $"bad character in group name '{name}'");
            }
        }
    }

    /// <param name="IsInLookBehind">Whether a look-behind holds it.</param>
    /// <param name="Width">The width of what it matches, <c>null</c> while it is open.</param>
    private readonly record struct Group(bool IsInLookBehind, PythonWidth? Width = null);
}
